#include "apps/lib/report/layer_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/lib/report/html.h"
#include "apps/lib/report/table.h"
#include "framework/base/text.h"

namespace pare::report {
namespace {

using config::Json;

constexpr const char* kNothing = "–";

const std::vector<Column> kColumns = {
    {"layer", "node of the network, its kind and the shape of its weight", true},
    {"bits", "of a weight / of a code of the input"},
    {"zero weights", "exactly zero, in percent: under the mask, and rounded to zero"},
    {"SQNR", "of the weights: 10 log10(power / power of the rounding error), in dB"},
    {"weights", "those that are not zero, before rounding", true},
    {"out SQNR", "of the layer's output, clamping included, in dB"},
    {"output", "behind batch norm and activation, before rounding; on 256 test images", true},
    {"bytes", "of the weight codes in model.pare, and how they are coded"},
    {"MACs", "multiply-accumulates of one image, and those whose weight is not zero"},
    {"µs", "of one image in the integer engine, with what it fuses with the layer"},
};

std::string count(const Json& value) {
  return value.is_null() ? kNothing : grouped(value.get<std::int64_t>());
}

std::string decibel(const Json& value) {
  return value.is_null() ? kNothing : fmt::format("{:.1f}", value.get<double>());
}

std::string shape(const Json& extents) {
  std::vector<std::string> numbers;
  for (const Json& extent : extents) numbers.push_back(extent.dump());
  return join(numbers, "×");
}

std::string share(std::int64_t part, std::int64_t whole) {
  return fmt::format("{:.1f}", 100.0 * static_cast<double>(part) /
                                   static_cast<double>(std::max<std::int64_t>(1, whole)));
}

// A bar of all weights: masked, rounded to zero, the rest.
std::string zeros_cell(std::int64_t weights, std::int64_t zeros, std::int64_t masked) {
  return fmt::format(
      "<span class=\"meter\" title=\"{} of {} weights\"><i class=\"m\" style=\"width:{}%\"></i>"
      "<i class=\"r\" style=\"width:{}%\"></i></span>{} %<small>{} mask + {} rounded</small>",
      grouped(zeros), grouped(weights), share(masked, weights), share(zeros - masked, weights),
      share(zeros, weights), share(masked, weights), share(zeros - masked, weights));
}

std::string zeros_of(const Json& layer) {
  return zeros_cell(layer["weights"].get<std::int64_t>(), layer["zeros"].get<std::int64_t>(),
                    layer["zeros_by_mask"].get<std::int64_t>());
}

std::string with_remark(const std::string& value, const std::string& remark) {
  return value + "<small>" + remark + "</small>";
}

std::string histogram_cell(const std::optional<Histogram>& histogram,
                           const std::optional<Limits>& grid) {
  return histogram ? to_html(*histogram, grid) : kNothing;
}

std::vector<std::string> row(const Json& layer, const LayerHistograms& histograms) {
  const bool integer = !layer["bytes"].is_null();
  const std::string bits = integer ? fmt::format("{} / {}", layer["weight_bits"].get<int>(),
                                                 layer["input_bits"].get<int>())
                                   : kNothing;
  return {with_remark(escape(layer["name"].get<std::string>()),
                      escape(layer["kind"].get<std::string>()) + " " + shape(layer["shape"])),
          bits,
          zeros_of(layer),
          decibel(layer["sqnr"]),
          histogram_cell(histograms.weights, histograms.weight_grid),
          decibel(layer["activation_sqnr"]),
          histogram_cell(histograms.activations, histograms.activation_grid),
          integer ? with_remark(count(layer["bytes"]), escape(layer["coding"].get<std::string>()))
                  : kNothing,
          with_remark(count(layer["macs"]), count(layer["effective_macs"])),
          integer ? time_dependent(fmt::format("{:.1f}", layer["latency_us"].get<double>()))
                  : kNothing};
}

// Of a key over all layers; null where a layer lacks it.
Json total(const Json& layers, const char* key) {
  std::int64_t sum = 0;
  for (const Json& layer : layers) {
    if (layer[key].is_null()) return {};
    sum += layer[key].get<std::int64_t>();
  }
  return sum;
}

std::vector<std::string> total_row(const Json& layers) {
  const auto number_of = [&](const char* key) { return total(layers, key).get<std::int64_t>(); };
  return {with_remark("all", grouped(number_of("weights")) + " weights"),
          "",
          zeros_cell(number_of("weights"), number_of("zeros"), number_of("zeros_by_mask")),
          "",
          "",
          "",
          "",
          count(total(layers, "bytes")),
          with_remark(count(total(layers, "macs")), count(total(layers, "effective_macs"))),
          ""};
}

}  // namespace

std::string layer_table(const Json& layers, const std::vector<LayerHistograms>& histograms) {
  Table table{kColumns, {}, true};
  for (const Json& layer : layers) {
    const auto found = std::find_if(
        histograms.begin(), histograms.end(),
        [&](const LayerHistograms& h) { return h.name == layer["name"].get<std::string>(); });
    table.rows.push_back(row(layer, found == histograms.end() ? LayerHistograms() : *found));
  }
  table.rows.push_back(total_row(layers));
  return to_html(table);
}

}  // namespace pare::report
