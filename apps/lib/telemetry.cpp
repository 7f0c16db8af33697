#include "apps/lib/telemetry.h"

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "layers/weighted.h"

namespace pare {
namespace {

using config::Json;

struct Column {
  const char* name;
  std::optional<double> WeightTelemetry::*value;
};

constexpr std::array kColumns = {
    Column{"masked", &WeightTelemetry::masked},
    Column{"mask_churn", &WeightTelemetry::mask_churn},
    Column{"rounded_to_zero", &WeightTelemetry::rounded_to_zero},
    Column{"masked_zero_codes", &WeightTelemetry::masked_zero_codes},
    Column{"code_flips", &WeightTelemetry::code_flips},
    Column{"scale", &WeightTelemetry::scale},
    Column{"scale_drift", &WeightTelemetry::scale_drift},
    Column{"score_disagreement", &WeightTelemetry::score_disagreement},
    Column{"error_prune", &WeightTelemetry::error_prune},
    Column{"error_quantize", &WeightTelemetry::error_quantize},
    Column{"error_both", &WeightTelemetry::error_both},
};

template <class T>
void add(Snapshot& arrays, const std::string& name, ElementType type,
         const std::vector<T>& values) {
  if (values.empty()) return;
  const std::span bytes = std::as_bytes(std::span(values));
  arrays.push_back({.name = name,
                    .type = type,
                    .shape = {static_cast<std::int64_t>(values.size())},
                    .bytes = {bytes.begin(), bytes.end()}});
}

template <class T>
std::vector<T> values_of(const NamedArray& array) {
  std::vector<T> values(array.bytes.size() / sizeof(T));
  std::memcpy(values.data(), array.bytes.data(), values.size() * sizeof(T));
  return values;
}

// A checkpoint has no arrays of 16 bits.
std::vector<std::int32_t> widened(const GridCodes& codes) { return {codes.begin(), codes.end()}; }

GridCodes narrowed(const std::vector<std::int32_t>& codes) {
  GridCodes result;
  for (const std::int32_t code : codes) result.push_back(static_cast<std::int16_t>(code));
  return result;
}

}  // namespace

Json to_json(const TelemetryRow& row) {
  Json json = {{"step", row.step}, {"phase", row.phase}, {"layer", row.layer}};
  for (const Column& column : kColumns) {
    const std::optional<double>& value = row.weight.*column.value;
    json[column.name] = value ? Json(*value) : Json();
  }
  return json;
}

TelemetryRow telemetry_from_json(const Json& json) {
  TelemetryRow row{.step = json.at("step").get<std::int64_t>(),
                   .phase = json.at("phase").get<std::string>(),
                   .layer = json.at("layer").get<std::string>()};
  for (const Column& column : kColumns) {
    const Json& value = json.at(column.name);
    if (!value.is_null()) row.weight.*column.value = value.get<double>();
  }
  return row;
}

std::vector<TelemetryRow> Telemetry::measure(Network& network, const TelemetryMark& mark,
                                             const std::string& phase) {
  std::vector<TelemetryRow> rows;
  if (last_ && mark <= *last_) return rows;
  std::map<std::string, WeightMoment> moments;
  for (const NetworkNode& node : network.nodes()) {
    auto* weighted = dynamic_cast<Weighted*>(node.module.get());
    if (!weighted || !has_telemetry(weighted->weight())) continue;
    WeightMoment& moment = moments[node.name] = std::move(moments_[node.name]);
    rows.push_back({mark.step, phase, node.name, weight_telemetry(weighted->weight(), moment)});
  }
  moments_ = std::move(moments);
  if (!rows.empty()) last_ = mark;
  return rows;
}

void Telemetry::save(Snapshot& arrays) const {
  for (const auto& [layer, moment] : moments_) {
    const std::string name = kTelemetryArrays + layer;
    add(arrays, name + "/codes", ElementType::int32, widened(moment.codes));
    add(arrays, name + "/keep", ElementType::uint8, moment.keep);
    add(arrays, name + "/scales", ElementType::float32, moment.scales);
  }
}

void Telemetry::restore(const Snapshot& arrays, std::optional<TelemetryMark> last) {
  last_ = last;
  moments_.clear();
  for (const NamedArray& array : part_of(arrays, kTelemetryArrays)) {
    const std::size_t slash = array.name.rfind('/');
    const std::string what = array.name.substr(slash + 1);
    const std::size_t begin = std::strlen(kTelemetryArrays);
    if (slash <= begin) continue;
    WeightMoment& moment = moments_[array.name.substr(begin, slash - begin)];
    if (what == "codes" && array.type == ElementType::int32)
      moment.codes = narrowed(values_of<std::int32_t>(array));
    if (what == "keep" && array.type == ElementType::uint8)
      moment.keep = values_of<std::uint8_t>(array);
    if (what == "scales" && array.type == ElementType::float32)
      moment.scales = values_of<float>(array);
  }
}

}  // namespace pare
