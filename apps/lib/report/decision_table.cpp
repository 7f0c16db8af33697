#include "apps/lib/report/decision_table.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/lib/report/html.h"
#include "apps/lib/report/table.h"
#include "framework/base/text.h"

namespace pare::report {
namespace {

using config::Json;

std::string count(const Json& value) { return grouped(std::llround(value.get<double>())); }

std::string plans(const Json& decision) {
  Table table;
  table.columns = {{"plan", "", true},
                   {"bytes", "of model.pare, at most"},
                   {"MACs", "of one image, those whose weight is not zero"},
                   {"trial", "accuracy on the validation images after a short training"},
                   {"", "", true}};
  for (std::size_t i = 0; i < decision["plans"].size(); ++i) {
    const Json& plan = decision["plans"][i];
    const Json& accuracy = plan["accuracy"];
    table.rows.push_back({escape(plan["name"].get<std::string>()), count(plan["bytes"]),
                          count(plan["macs"]),
                          accuracy.is_null() ? "not tried" : percent(accuracy.get<double>()),
                          decision["chosen"] == Json(i) ? "chosen" : ""});
  }
  return to_html(table);
}

std::string layers(const Json& plan) {
  Table table;
  table.columns = {{"layer", "", true},
                   {"bits", "of its weights"},
                   {"zero", "of its weights, by a mask"},
                   {"bytes", "of its codes in model.pare, at most"},
                   {"loss alone", "what the validation loss gains when this layer alone is "
                                  "compressed so, without training"}};
  for (const Json& layer : plan["layers"]) {
    table.rows.push_back({escape(layer["node"].get<std::string>()),
                          std::to_string(layer["bits"].get<int>()),
                          percent(layer["sparsity"].get<double>()), count(layer["bytes"]),
                          number(layer["loss"].get<double>())});
  }
  return to_html(table);
}

}  // namespace

std::string decision_tables(const std::string& method, const Json& decision) {
  const auto chosen = decision["chosen"].get<std::size_t>();
  return fmt::format("<h3>{}</h3>\n<p>Before: {} of the validation images.</p>\n{}{}",
                     escape(method), percent(decision["baseline"].get<double>()), plans(decision),
                     layers(decision["plans"][chosen]));
}

}  // namespace pare::report
