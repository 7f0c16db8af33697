#include "apps/lib/inspect/difference.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "apps/lib/inspect/table.h"
#include "framework/base/error.h"
#include "framework/base/text.h"

namespace pare {
namespace {

using config::Json;

// Every leaf by its path: "/phases/0/epochs".
std::map<std::string, Json> leaves(const Json& json) {
  std::map<std::string, Json> result;
  const Json flat = json.flatten();
  for (auto it = flat.begin(); it != flat.end(); ++it) result[it.key()] = it.value();
  return result;
}

// Leaves that differ, without those whose path begins with one of `apart`.
Json differing(const Json& a, const Json& b) {
  const auto left = leaves(a), right = leaves(b);
  std::set<std::string> paths;
  for (const auto* side : {&left, &right}) {
    for (const auto& [path, value] : *side) paths.insert(path);
  }
  const auto value = [](const auto& side, const std::string& path) {
    const auto found = side.find(path);
    return found == side.end() ? Json() : found->second;
  };
  Json list = Json::array();
  for (const std::string& path : paths) {
    const Json x = value(left, path), y = value(right, path);
    if (x != y) list.push_back({{"path", path.substr(1)}, {"a", x}, {"b", y}});
  }
  return list;
}

Json at(const Json& json, const char* pointer) {
  const Json::json_pointer path(pointer);
  return json.is_object() && json.contains(path) ? json.at(path) : Json();
}

// The figures of a result that two runs are compared by.
constexpr const char* kFigures[] = {"/accuracy/float",   "/accuracy/fake_quant",
                                    "/accuracy/integer", "/sparsity",
                                    "/bytes/model",      "/macs",
                                    "/effective_macs",   "/bops"};
constexpr const char* kLayerFigures[] = {"/weight_bits", "/zeros", "/bytes", "/effective_macs"};

template <std::size_t N>
Json figures(const Json& a, const Json& b, const char* const (&pointers)[N]) {
  Json list = Json::array();
  for (const char* pointer : pointers) {
    list.push_back({{"name", pointer + 1}, {"a", at(a, pointer)}, {"b", at(b, pointer)}});
  }
  return list;
}

const Json* layer(const Json& result, const Json& name) {
  if (!result.is_object() || !result.contains("layers")) return nullptr;
  for (const Json& entry : result.at("layers")) {
    if (entry.at("name") == name) return &entry;
  }
  return nullptr;
}

Json layers(const Json& a, const Json& b) {
  Json list = Json::array(), names = Json::array();
  for (const Json* side : {&a, &b}) {
    if (!side->is_object() || !side->contains("layers")) continue;
    for (const Json& entry : side->at("layers")) {
      if (std::find(names.begin(), names.end(), entry.at("name")) == names.end())
        names.push_back(entry.at("name"));
    }
  }
  for (const Json& name : names) {
    const Json *left = layer(a, name), *right = layer(b, name);
    list.push_back(
        {{"name", name},
         {"figures", figures(left ? *left : Json(), right ? *right : Json(), kLayerFigures)}});
  }
  return list;
}

std::string value_text(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  return value.is_number_integer() ? grouped(value.get<std::int64_t>()) : value.dump();
}

std::string change_text(const Json& a, const Json& b) {
  if (!a.is_number() || !b.is_number()) return "";
  const double change = b.get<double>() - a.get<double>();
  if (change == 0) return "=";
  return a.is_number_integer() && b.is_number_integer()
             ? (change > 0 ? "+" : "") + grouped(static_cast<std::int64_t>(change))
             : fmt::format("{:+.6g}", change);
}

}  // namespace

Json difference_of(const Json& a, const Json& b) {
  if (a["what"] != b["what"]) {
    throw ConfigError(fmt::format("{} is a {} and {} is a {}: expected two of one kind to compare",
                                  a["path"].dump(), a["what"].get<std::string>(), b["path"].dump(),
                                  b["what"].get<std::string>()));
  }
  const bool run = a["what"] == "run", has_config = a.contains("config");
  Json left = has_config ? a["config"] : a, right = has_config ? b["config"] : b;
  for (Json* side : {&left, &right}) side->erase("path");
  Json json = {{"what", "difference"},
               {"of", a["what"]},
               {"a", a["path"]},
               {"b", b["path"]},
               {"keys", differing(left, right)},
               {"figures", Json::array()},
               {"layers", Json::array()}};
  if (run) {
    json["figures"] = figures(a["result"], b["result"], kFigures);
    json["layers"] = layers(a["result"], b["result"]);
  }
  return json;
}

std::string difference_text(const Json& d) {
  std::string text =
      fmt::format("a: {}\nb: {}\n\n", d["a"].get<std::string>(), d["b"].get<std::string>());
  if (d["keys"].empty()) {
    text += d["of"] == "run" || d["of"] == "config" ? "  the configs are equal\n"
                                                    : "  nothing in them differs\n";
  } else {
    TextTable table({"what differs", ">a", ">b"});
    for (const Json& key : d["keys"]) {
      table.add({key["path"].get<std::string>(), value_text(key["a"]), value_text(key["b"])});
    }
    text += table.text();
  }
  if (d["figures"].empty()) return text;
  TextTable figures({"figure", ">a", ">b", ">b - a"});
  for (const Json& f : d["figures"]) {
    figures.add({f["name"].get<std::string>(), value_text(f["a"]), value_text(f["b"]),
                 change_text(f["a"], f["b"])});
  }
  TextTable layers({"layer", "figure", ">a", ">b", ">b - a"});
  for (const Json& l : d["layers"]) {
    for (const Json& f : l["figures"]) {
      layers.add({l["name"].get<std::string>(), f["name"].get<std::string>(), value_text(f["a"]),
                  value_text(f["b"]), change_text(f["a"], f["b"])});
    }
  }
  return text + "\n" + figures.text() + "\n" + layers.text();
}

}  // namespace pare
