// Lookups, one-line summaries for messages, and the way back to JSON.
#include "framework/config/value.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pare::config {
namespace {

// Long strings are cut before a whole character.
std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 40;
  std::size_t length = std::min(text.size(), kShown);
  while (length < text.size() && length > 0 && (text[length] & 0xC0) == 0x80) --length;
  const std::string shown = Json(text.substr(0, length)).dump();
  return length == text.size() ? shown : shown.substr(0, shown.size() - 1) + "...\"";
}

}  // namespace

std::string Origin::text() const {
  if (!source) return "config";
  if (!source->has_lines) return source->name;
  return source->name + ":" + std::to_string(line) + ":" + std::to_string(column);
}

const Value* Value::find(std::string_view key) const {
  if (!is<Members>()) return nullptr;
  for (const Member& member : as<Members>()) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

Value* Value::find(std::string_view key) {
  return const_cast<Value*>(std::as_const(*this).find(key));
}

int Value::latest_rank() const {
  int latest = origin.rank();
  if (is<List>()) {
    for (const Value& item : as<List>()) latest = std::max(latest, item.latest_rank());
  }
  if (is<Members>()) {
    for (const Member& member : as<Members>())
      latest = std::max(latest, member.value.latest_rank());
  }
  return latest;
}

std::string Value::summary() const {
  if (is<std::string>()) return in_quotes(as<std::string>());
  if (is<List>()) {
    const std::size_t size = as<List>().size();
    return size == 0 ? "an empty list" : "a list of " + std::to_string(size);
  }
  if (is<Members>()) return "an object";
  return to_json(*this).dump();
}

Json to_json(const Value& value) {
  if (value.is<List>()) {
    Json list = Json::array();
    for (const Value& item : value.as<List>()) list.push_back(to_json(item));
    return list;
  }
  if (value.is<Members>()) {
    // Straight into the underlying vector: the keys are known to differ, and ordered_json would
    // search for each.
    Json::object_t members;
    for (const Member& member : value.as<Members>()) {
      members.emplace_back(member.key, to_json(member.value));
    }
    return members;
  }
  if (value.is<bool>()) return value.as<bool>();
  if (value.is<std::int64_t>()) return value.as<std::int64_t>();
  if (value.is<double>()) return value.as<double>();
  if (value.is<std::string>()) return value.as<std::string>();
  return nullptr;
}

}  // namespace pare::config
