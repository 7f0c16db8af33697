// Object while reading: every field looks its key up, and keys that no field asked for are errors.
#include <fmt/format.h>

#include <algorithm>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/config/config.h"

namespace pare::config {
namespace {

// Carries what read_root needs to say where the key would belong; `similar`: " (did you mean ...?)"
// among the keys that this object has, or "".
struct UnknownKey : ConfigError {
  UnknownKey(const std::string& message, std::string object, std::string name, std::string near)
      : ConfigError(message + near),
        plain(message),
        object_path(std::move(object)),
        key(std::move(name)),
        similar(std::move(near)) {}
  std::string plain;
  std::string object_path;
  std::string key;
  std::string similar;
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
      throw UnknownKey(fmt::format("{}: {}: unknown key", member.origin.text(),
                                   join_path(node_.path(), member.key)),
                       node_.path(), member.key, suggestion(member.key, known_));
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

std::string parent_of(const Entry& entry) {
  const std::size_t dot = entry.path.rfind('.');
  return dot == std::string::npos ? "" : entry.path.substr(0, dot);
}

std::string name_of(const Entry& entry) { return entry.path.substr(entry.path.rfind('.') + 1); }

// The key under the other alternatives of its object: " (only where kind = sgd)", or "".
std::string under_other_kinds(const UnknownKey& unknown, const std::vector<Entry>& siblings) {
  std::vector<std::string> when;
  for (const Entry& entry : siblings) {
    if (name_of(entry) == unknown.key) when.push_back(entry.when);
  }
  return when.empty() ? "" : fmt::format(" (only where {})", join(when, " or "));
}

// " (it belongs under 'phases[]')" or "".
std::string under_other_objects(const UnknownKey& unknown, const std::vector<Entry>& entries) {
  constexpr std::size_t kMostPlaces = 5;
  std::vector<std::string> places;
  for (const Entry& entry : entries) {
    if (name_of(entry) != unknown.key) continue;
    const std::string parent = parent_of(entry);
    const std::string place = parent.empty() ? "at the top level" : "under '" + parent + "'";
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
  }
  if (places.empty() || places.size() > kMostPlaces) return "";
  return fmt::format(" (it belongs {})", join(places, " or "));
}

// What to do about an unknown key, the likeliest first: it is another kind's, it is misspelt, it
// belongs elsewhere, it is another kind's and misspelt.
std::string advice(const UnknownKey& unknown, const std::vector<Entry>& entries) {
  if (unknown.key == "_base_") return " (a config has bases only at its top)";
  std::vector<Entry> siblings;
  std::vector<std::string> names;
  for (const Entry& entry : entries) {
    if (!is_instance(unknown.object_path, parent_of(entry)) || entry.when.empty()) continue;
    siblings.push_back(entry);
    names.push_back(name_of(entry));
  }
  for (const std::string& text : {under_other_kinds(unknown, siblings), unknown.similar,
                                  under_other_objects(unknown, entries)}) {
    if (!text.empty()) return text;
  }
  return suggestion(unknown.key, names);
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
    throw ConfigError(unknown.plain + advice(unknown, document(describe_default)));
  }
}

}  // namespace detail
}  // namespace pare::config
