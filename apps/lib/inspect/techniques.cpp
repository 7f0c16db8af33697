#include "apps/lib/inspect/techniques.h"

#include <fmt/format.h>

#include "apps/lib/inspect/table.h"
#include "compression/method_kinds.h"
#include "compression/prune/pruner.h"
#include "compression/quantize/observer.h"
#include "compression/quantize/quantizer.h"
#include "framework/config/config.h"

namespace pare {
namespace {

using config::Json;

constexpr const char* kTables[] = {"methods", "pruners", "quantizers", "observers"};

template <class Rows, class Name>
Json table_json(const Rows& rows, const Name& name) {
  Json list = Json::array();
  for (const auto& row : rows) {
    list.push_back({{"name", name(row)}, {"description", row.description}});
  }
  return list;
}

// Defaults that are whole objects are shown by their beginning.
std::string shortened(const Json& text) {
  constexpr std::size_t kWidest = 32;
  const auto whole = text.get<std::string>();
  return whole.size() <= kWidest ? whole : whole.substr(0, kWidest - 3) + "...";
}

}  // namespace

Json techniques_document() {
  Json keys = Json::array();
  for (const config::Entry& entry : config::document<MethodConfig>()) {
    keys.push_back({{"path", entry.path},
                    {"when", entry.when},
                    {"type", entry.type},
                    {"default", entry.default_value},
                    {"allowed", entry.allowed},
                    {"doc", entry.doc}});
  }
  return {
      {"what", "techniques"},
      {"methods", table_json(method_kinds(), [](const MethodKind& row) { return row.name; })},
      {"pruners", table_json(pruner_table(), [](const PrunerRow& row) { return row.name; })},
      {"quantizers",
       table_json(quantizer_table(), [](const QuantizerRow& row) { return row.name; })},
      {"observers", table_json(observer_table(), [](const ObserverRow& row) { return row.kind; })},
      {"keys", std::move(keys)}};
}

std::string techniques_text(const Json& document) {
  std::string text;
  for (const char* name : kTables) {
    TextTable table({name, ""});
    for (const Json& row : document[name]) {
      table.add({row["name"].get<std::string>(), row["description"].get<std::string>()});
    }
    text += table.text() + "\n";
  }
  TextTable keys({"key", "where", "default", "values", "meaning"});
  for (const Json& key : document["keys"]) {
    const std::string allowed = key["allowed"].get<std::string>();
    keys.add({key["path"].get<std::string>(), shortened(key["when"]), shortened(key["default"]),
              allowed.empty() ? key["type"].get<std::string>() : allowed,
              key["doc"].get<std::string>()});
  }
  return text + keys.text();
}

}  // namespace pare
