// Object while writing a JSON Schema (draft 7): editors complete keys and mark mistakes with it.
// The typed reader stays the judge; rules between fields are not part of the schema.
#include <nlohmann/json.hpp>

#include "framework/config/config.h"

namespace pare::config {
namespace {

class SchemaBuilder : public Object {
 public:
  void custom(std::string_view key, const Field& field, std::string_view doc) override {
    Json property = field.schema();
    property["description"] = doc;
    Json value = field.write();
    if (!value.is_discarded()) property["default"] = std::move(value);
    properties_[std::string(key)] = std::move(property);
  }

  // Where the kind is left out, or comes from a base, any of the alternatives will do.
  void alternatives(std::string_view key, std::string&, const std::vector<Alternative>& list,
                    std::string_view doc) override {
    for (const Alternative& one : list) {
      SchemaBuilder inner;
      inner.properties_[std::string(key)] = {{"const", one.name}, {"description", doc}};
      one.describe(inner);
      alternatives_.push_back(std::move(inner));
    }
  }

  void require(std::string_view key) override { required_.push_back(key); }
  void fail(std::string_view, const std::string&) const override {}

  Json result() const {
    if (alternatives_.empty()) return closed_object(properties_, required_);
    Json any_of = Json::array();
    for (const SchemaBuilder& inner : alternatives_) {
      Json properties = inner.properties_;
      properties.update(properties_);
      Json required = inner.required_;
      for (const Json& key : required_) required.push_back(key);
      any_of.push_back(closed_object(std::move(properties), std::move(required)));
    }
    return {{"anyOf", any_of}};
  }

 private:
  static Json closed_object(Json properties, Json required) {
    properties["_delete_"] = {{"type", "boolean"}};
    Json schema = {
        {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
    if (!required.empty()) schema["required"] = std::move(required);
    return schema;
  }

  Json properties_ = Json::object();
  Json required_ = Json::array();
  std::vector<SchemaBuilder> alternatives_;
};

}  // namespace

namespace detail {

Json object_schema(const std::function<void(Object&)>& describe) {
  SchemaBuilder builder;
  describe(builder);
  return builder.result();
}

Json root_schema(const std::function<void(Object&)>& describe) {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"}};
  schema.update(object_schema(describe));
  const Json path = {{"type", "string"}};
  schema["properties"]["_base_"] = {
      {"anyOf", Json::array({path, {{"type", "array"}, {"items", path}}})},
      {"description", "a config, or several, on top of which this one stands"}};
  schema["properties"]["$schema"] = path;
  schema.erase("required");
  return schema;
}

}  // namespace detail
}  // namespace pare::config
