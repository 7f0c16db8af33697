// Object while printing: collects every key with the value it has, and pretty() for people.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "framework/base/error.h"
#include "framework/config/config.h"

namespace pare::config {
namespace {

class Writer : public Object {
 public:
  void custom(std::string_view key, const Field& field, std::string_view) override {
    const std::string name(key);
    PARE_ENSURE(!json.contains(name));
    Json value = field.write();
    if (!value.is_discarded()) json[name] = std::move(value);
  }

  void alternatives(std::string_view key, std::string& kind, const std::vector<Alternative>& list,
                    std::string_view) override {
    const auto chosen = std::find_if(list.begin(), list.end(),
                                     [&](const Alternative& one) { return one.name == kind; });
    PARE_ENSURE(chosen != list.end());
    json[std::string(key)] = kind;
    chosen->describe(*this);
  }

  void require(std::string_view) override {}
  void fail(std::string_view, const std::string&) const override {}

  Json json = Json::object();
};

// `{"a": 1, "b": [2, 3]}` on one line.
std::string one_line(const Json& json) {
  if (!json.is_structured() || json.empty()) return json.dump();
  std::string text(1, json.is_object() ? '{' : '[');
  for (auto it = json.begin(); it != json.end(); ++it) {
    if (it != json.begin()) text += ", ";
    if (json.is_object()) text += Json(it.key()).dump() + ": ";
    text += one_line(*it);
  }
  return text + (json.is_object() ? '}' : ']');
}

// `used`: columns that precede the value on its line.
void append_pretty(std::string& out, const Json& json, std::size_t indent, std::size_t used) {
  constexpr std::size_t kWidth = 100;
  const std::string line = one_line(json);
  const bool is_root = indent == 0 && json.is_object();
  if (!json.is_structured() || json.empty() || (used + line.size() < kWidth && !is_root)) {
    out += line;
    return;
  }
  out += json.is_object() ? "{\n" : "[\n";
  for (auto it = json.begin(); it != json.end(); ++it) {
    const std::string key = json.is_object() ? Json(it.key()).dump() + ": " : "";
    out += std::string(indent + 2, ' ') + key;
    append_pretty(out, *it, indent + 2, indent + 2 + key.size());
    out += std::next(it) == json.end() ? "\n" : ",\n";
  }
  out += std::string(indent, ' ') + (json.is_object() ? '}' : ']');
}

}  // namespace

namespace detail {

Json write_object(const std::function<void(Object&)>& describe) {
  Writer writer;
  describe(writer);
  return writer.json;
}

}  // namespace detail

std::string pretty(const Json& json) {
  std::string out;
  append_pretty(out, json, 0, 0);
  return out + "\n";
}

}  // namespace pare::config
