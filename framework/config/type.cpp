// The basic types and the JSON Schema fragments that all types are made of.
#include "framework/config/type.h"

#include <cmath>

#include "framework/base/text.h"

namespace pare::config {

Json omitted() { return Json(Json::value_t::discarded); }

Type<double> real(RealRange range) {
  return {.read = [range](const Node& node, double& x) { x = node.real(range); },
          .write = [](const double& x) { return Json(x); },
          .name = "number",
          .allowed = range.text(),
          .schema = [range] { return detail::real_schema(range); }};
}

Type<bool> boolean() {
  return {.read = [](const Node& node, bool& x) { x = node.boolean(); },
          .write = [](const bool& x) { return Json(x); },
          .name = "boolean",
          .schema =
              [] {
                return Json{{"type", "boolean"}};
              }};
}

Type<std::string> text() {
  return {.read = [](const Node& node, std::string& x) { x = node.text(); },
          .write = [](const std::string& x) { return Json(x); },
          .name = "string",
          .schema =
              [] {
                return Json{{"type", "string"}};
              }};
}

Type<std::string> choice(std::vector<std::string> names) {
  return {.read = [names](const Node& node, std::string& x) { x = node.choice(names); },
          .write = [](const std::string& x) { return Json(x); },
          .name = "string",
          .allowed = join(names, ", "),
          .schema = [names] { return detail::choice_schema(names); }};
}

namespace detail {

Json integer_schema(const IntegerRange& range) {
  const IntegerRange any;
  Json schema = {{"type", "integer"}};
  if (range.min != any.min) schema["minimum"] = range.min;
  if (range.max != any.max) schema["maximum"] = range.max;
  return schema;
}

Json real_schema(const RealRange& range) {
  Json schema = {{"type", "number"}};
  if (std::isfinite(range.min)) schema["minimum"] = range.min;
  if (std::isfinite(range.max)) schema["maximum"] = range.max;
  if (std::isfinite(range.above)) schema["exclusiveMinimum"] = range.above;
  if (std::isfinite(range.below)) schema["exclusiveMaximum"] = range.below;
  return schema;
}

Json choice_schema(const std::vector<std::string>& names) { return {{"enum", names}}; }

Json list_schema(const Json& item) { return {{"type", "array"}, {"items", item}}; }

Json map_schema(const Json& item) { return {{"type", "object"}, {"additionalProperties", item}}; }

Json nullable_schema(const Json& schema) {
  return {{"anyOf", Json::array({schema, {{"type", "null"}}})}};
}

Json switched_schema(const Json& schema) {
  return {{"anyOf", Json::array({{{"type", "boolean"}}, schema})}};
}

}  // namespace detail
}  // namespace pare::config
