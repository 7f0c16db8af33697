// Object while reading: every field looks its key up, and keys that no field asked for are errors.
#include <fmt/format.h>

#include <algorithm>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/config/config.h"

namespace pare::config {
namespace {

// Carries what read_root needs to say where the key would belong.
struct UnknownKey : ConfigError {
  UnknownKey(const std::string& message, std::string object, std::string name)
      : ConfigError(message), object_path(std::move(object)), key(std::move(name)) {}
  std::string object_path;
  std::string key;
};

class Reader : public Object {
 public:
  explicit Reader(const Node& node) : node_(node) {
    if (!node_.is_object()) node_.expected("an object");
  }

  void custom(std::string_view key, const Field& field, std::string_view) override {
    declare(key);
    if (const Value* value = node_.value().find(key)) {
      field.read(Node(*value, join_path(node_.path(), key)));
    }
  }

  void alternatives(std::string_view key, std::string& kind, const std::vector<Alternative>& list,
                    std::string_view doc) override {
    std::vector<std::string> names;
    for (const Alternative& one : list) names.push_back(one.name);
    if (kind.empty() && missing(key)) {
      node_.fail(fmt::format("expected a key '{}': one of {}", key, join(names, ", ")));
    }
    field(key, kind, config::choice(names), doc);
    for (const Alternative& one : list) {
      if (one.name == kind) one.describe(*this);
    }
  }

  void require(std::string_view key) override { required_.emplace_back(key); }

  bool given(std::string_view key) const override {
    const Value* value = node_.value().find(key);
    return value && !value->is<std::nullptr_t>();
  }
  bool missing(std::string_view key) const override { return !node_.value().find(key); }
  std::optional<int> rank(std::string_view key) const override {
    const Value* value = node_.value().find(key);
    return value ? std::optional(value->latest_rank()) : std::nullopt;
  }
  void fail(std::string_view path, const std::string& message) const override {
    Node(deepest(node_.value(), path), join_path(node_.path(), path)).fail(message);
  }

  // A misspelt key is reported before the key that is missing because of it.
  void finish() const {
    for (const Member& member : node_.value().as<Members>()) {
      if (std::find(known_.begin(), known_.end(), member.key) != known_.end()) continue;
      throw UnknownKey(
          fmt::format("{}: {}: unknown key{}", member.origin.text(),
                      join_path(node_.path(), member.key), suggestion(member.key, known_)),
          node_.path(), member.key);
    }
    for (const std::string& key : required_) {
      if (missing(key)) node_.fail(fmt::format("expected a key '{}'", key));
    }
  }

 private:
  void declare(std::string_view key) {
    PARE_ENSURE(std::find(known_.begin(), known_.end(), key) == known_.end());
    known_.emplace_back(key);
  }

  Node node_;
  std::vector<std::string> known_;
  std::vector<std::string> required_;
};

// Whether "compression.q8.weights" or "model[3]" is an instance of "compression.<name>.weights" or
// "model[]".
bool is_instance(std::string_view path, std::string_view pattern) {
  std::string glob;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    glob += pattern[i];
    if (pattern[i] == '[') glob += '*';
    if (pattern.substr(i).starts_with(".<name>")) {
      glob += '*';
      i += std::string_view("<name>").size();
    }
  }
  return matches(glob, path);
}

// "" or where the documentation knows a key of that name.
std::string where_it_belongs(const UnknownKey& unknown, const std::vector<Entry>& entries) {
  std::vector<std::string> places;
  for (const Entry& entry : entries) {
    const std::size_t dot = entry.path.rfind('.');
    const std::string parent = dot == std::string::npos ? "" : entry.path.substr(0, dot);
    if (entry.path.substr(dot + 1) != unknown.key) continue;
    if (is_instance(unknown.object_path, parent)) {
      return entry.when.empty() ? "" : fmt::format(" (only where {})", entry.when);
    }
    const std::string place = parent.empty() ? "at the top level" : "under '" + parent + "'";
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
  }
  if (places.empty() || places.size() > 2) return "";
  return fmt::format(" (it belongs {})", join(places, " or "));
}

}  // namespace

namespace detail {

void read_object(const Node& node, const std::function<void(Object&)>& describe) {
  Reader reader(node);
  describe(reader);
  reader.finish();
}

void read_root(const Value& value, const Describe& describe, const Describe& describe_default) {
  try {
    read_object(Node(value, ""), describe);
  } catch (const UnknownKey& unknown) {
    const std::string message = unknown.what();
    if (message.ends_with(")")) throw;  // already has a suggestion
    throw ConfigError(message + where_it_belongs(unknown, document(describe_default)));
  }
}

}  // namespace detail
}  // namespace pare::config
