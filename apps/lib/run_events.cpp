#include "apps/lib/run_events.h"

#include <filesystem>
#include <optional>

#include "apps/lib/layer_statistics.h"
#include "apps/lib/report/histogram.h"
#include "framework/base/error.h"
#include "framework/config/config.h"
#include "layers/weighted.h"

namespace pare {
namespace {

using tensorboard::Event;

constexpr const char* kFile = "/events.out.tfevents.pare";
constexpr std::size_t kBeforeRows = 2;  // version, config
constexpr int kBins = 64;

std::string made(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw FailedError("'" + folder + "' cannot be made: " + error.message());
  return folder;
}

void add(Event& event, const char* tag, const std::optional<double>& value) {
  if (value) event.scalars.push_back({tag, static_cast<float>(*value)});
}

Event event_of(const EpochRow& row) {
  Event event{.wall_time = tensorboard::wall_clock(), .step = row.step};
  add(event, "train/loss", row.loss);
  add(event, "train/accuracy", row.accuracy);
  add(event, "validation/accuracy", row.validation);
  add(event, "schedule/learning_rate", row.learning_rate);
  add(event, "compression/masked", row.sparsity);
  add(event, "speed/images_per_second", row.images_per_second);
  return event;
}

// TensorBoard's buckets end at their limits; the first one begins where it likes.
tensorboard::Distribution distribution(const Parameter& weight) {
  const report::Histogram h = report::histogram(masked_values(weight), kBins);
  tensorboard::Distribution d{.tag = "weights/" + weight.path(),
                              .min = h.low,
                              .max = h.high,
                              .count = static_cast<double>(h.others()),
                              .sum = h.sum,
                              .sum_squares = h.sum_squares};
  const auto bins = static_cast<double>(h.counts.size());
  for (std::size_t i = 0; i < h.counts.size(); ++i) {
    d.limits.push_back(h.low + (h.high - h.low) * static_cast<double>(i + 1) / bins);
    d.buckets.push_back(static_cast<double>(h.counts[i]));
  }
  return d;
}

// Four spaces make it code in Markdown.
std::string indented(const std::string& text) {
  std::string result = "    ";
  for (const char c : text) {
    result += c;
    if (c == '\n') result += "    ";
  }
  return result;
}

Event config_event(const RunConfig& run) {
  return {.wall_time = tensorboard::wall_clock(),
          .texts = {{"config", indented(config::pretty(config::write(run)))}}};
}

}  // namespace

RunEvents::RunEvents(const std::string& folder, const RunConfig& run,
                     const std::vector<EpochRow>& rows)
    : histograms_(run.report.histograms), file_(made(folder) + kFile, kBeforeRows + rows.size()) {
  if (file_.records() < kBeforeRows) file_.append(config_event(run));
  while (file_.records() < kBeforeRows + rows.size())
    file_.append(event_of(rows[file_.records() - kBeforeRows]));
}

void RunEvents::row(const EpochRow& row, const Network& network) {
  Event event = event_of(row);
  if (histograms_) {
    for (const NetworkNode& node : network.nodes()) {
      const auto* weighted = dynamic_cast<const Weighted*>(node.module.get());
      if (weighted) event.distributions.push_back(distribution(weighted->weight()));
    }
  }
  file_.append(event);
}

void RunEvents::result(const config::Json& result, std::int64_t step) {
  Event event{.wall_time = tensorboard::wall_clock(), .step = step};
  const auto number = [](const config::Json& value) {
    return value.is_null() ? std::nullopt : std::optional(value.get<double>());
  };
  add(event, "result/accuracy_float", number(result["accuracy"]["float"]));
  add(event, "result/accuracy_fake_quant", number(result["accuracy"]["fake_quant"]));
  add(event, "result/accuracy_integer", number(result["accuracy"]["integer"]));
  add(event, "result/sparsity", number(result["sparsity"]));
  add(event, "result/model_bytes", number(result["bytes"]["model"]));
  add(event, "result/effective_macs", number(result["effective_macs"]));
  file_.append(event);
}

}  // namespace pare
