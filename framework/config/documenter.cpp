// Object while documenting: one row per key, those of inner objects and of all alternatives
// included.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "framework/config/config.h"

namespace pare::config {
namespace {

class Documenter : public Object {
 public:
  Documenter(std::string prefix, std::string when)
      : prefix_(std::move(prefix)), when_(std::move(when)) {}

  void custom(std::string_view key, const Field& field, std::string_view doc) override {
    const std::string path = join_path(prefix_, key);
    const Json value = field.write();
    entries_.push_back({.path = path,
                        .when = when_,
                        .type = field.type,
                        .default_value = value.is_discarded() ? "" : value.dump(),
                        .allowed = field.allowed,
                        .doc = std::string(doc)});
    if (!field.inside) return;
    Documenter inner(path + field.inside_path, when_);
    field.inside(inner);
    append(inner.finish());
  }

  void alternatives(std::string_view key, std::string& kind, const std::vector<Alternative>& list,
                    std::string_view doc) override {
    std::vector<std::string> names;
    names.reserve(list.size());
    for (const Alternative& one : list) names.push_back(one.name);
    choice(key, kind, names, doc);
    std::vector<Entry> all;
    for (const Alternative& one : list) {
      Documenter inner(prefix_, fmt::format("{} = {}", key, one.name));
      one.describe(inner);
      for (Entry& entry : inner.finish()) add_or_share(all, std::move(entry), one.name);
    }
    append(std::move(all));
  }

  void require(std::string_view key) override { required_.push_back(join_path(prefix_, key)); }
  void fail(std::string_view, const std::string&) const override {}

  std::vector<Entry> finish() {
    for (Entry& entry : entries_) {
      const bool required =
          std::find(required_.begin(), required_.end(), entry.path) != required_.end();
      if (required && entry.when == when_) entry.default_value = "required";
    }
    return std::move(entries_);
  }

 private:
  // A key that several alternatives have with the same meaning is one row: "kind = conv2d,
  // depthwise_conv2d".
  static void add_or_share(std::vector<Entry>& all, Entry entry, const std::string& name) {
    for (Entry& other : all) {
      const bool same = other.path == entry.path && other.type == entry.type &&
                        other.default_value == entry.default_value &&
                        other.allowed == entry.allowed && other.doc == entry.doc;
      if (same) {
        other.when += ", " + name;
        return;
      }
    }
    all.push_back(std::move(entry));
  }

  void append(std::vector<Entry> more) {
    entries_.insert(entries_.end(), std::make_move_iterator(more.begin()),
                    std::make_move_iterator(more.end()));
  }

  std::string prefix_;
  std::string when_;
  std::vector<Entry> entries_;
  std::vector<std::string> required_;
};

}  // namespace

namespace detail {

std::vector<Entry> document(const Describe& describe) {
  Documenter root("", "");
  describe(root);
  return root.finish();
}

}  // namespace detail
}  // namespace pare::config
