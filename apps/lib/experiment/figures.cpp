#include "apps/lib/experiment/figures.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace pare {

std::vector<std::string> result_figures() {
  return {"accuracy.float",   "accuracy.fake_quant",
          "accuracy.integer", "sparsity",
          "bytes.model",      "macs",
          "effective_macs",   "bops"};
}

config::Json value_at(const config::Json& result, std::string_view path) {
  const config::Json* here = &result;
  while (true) {
    const std::size_t dot = path.find('.');
    const auto found =
        here->is_object() ? here->find(std::string(path.substr(0, dot))) : here->end();
    if (!here->is_object() || found == here->end()) return nullptr;
    here = &*found;
    if (dot == std::string_view::npos) return *here;
    path.remove_prefix(dot + 1);
  }
}

std::optional<double> figure(const config::Json& result, std::string_view path) {
  const config::Json value = value_at(result, path);
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

bool is_fraction(std::string_view name) {
  return name.starts_with("accuracy.") || name == "sparsity";
}

std::string figure_text(std::string_view name, double value) {
  if (is_fraction(name)) return fmt::format("{:.2f}", 100 * value);
  if (std::abs(value) >= 1e7) return fmt::format("{:.3e}", value);
  return fmt::format("{:.0f}", value);
}

std::string figure_title(std::string_view name) {
  return is_fraction(name) ? fmt::format("{} (%)", name) : std::string(name);
}

}  // namespace pare
