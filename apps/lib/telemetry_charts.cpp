#include "apps/lib/telemetry_charts.h"

#include <algorithm>
#include <string>

#include "apps/lib/time_axis.h"

namespace pare {
namespace {

using report::LineChart;
using report::Series;
using Rows = std::vector<const TelemetryRow*>;
using Value = std::optional<double> WeightTelemetry::*;

constexpr std::size_t kMostPoints = 120;  // of a series

struct Line {
  const char* label;
  Value value;
};

// Of many rows every so many-th, and the last.
Rows thinned(const Rows& rows) {
  const std::size_t stride = (rows.size() + kMostPoints - 1) / kMostPoints;
  if (stride <= 1) return rows;
  Rows result;
  for (std::size_t i = 0; i < rows.size(); i += stride) result.push_back(rows[i]);
  if (result.back() != rows.back()) result.push_back(rows.back());
  return result;
}

class Charts {
 public:
  Charts(const RunConfig& run, const std::vector<ScheduleSpan>& spans)
      : spans_(spans), bands_(phase_bands(run, spans)) {}

  report::LayerCharts of(const std::string& layer, const Rows& rows) const {
    using T = WeightTelemetry;
    report::LayerCharts charts{layer, {}};
    const auto add = [&](LineChart chart) {
      if (!chart.series.empty()) charts.charts.push_back(std::move(chart));
    };
    add(percents("Zeros (% of the weights)", rows,
                 {{"under the mask", &T::masked}, {"kept, rounded to zero", &T::rounded_to_zero}}));
    add(percents("Changes from row to row, and ranks that differ (%)", rows,
                 {{"mask churn", &T::mask_churn},
                  {"code flips", &T::code_flips},
                  {"score disagreement", &T::score_disagreement}}));
    LineChart errors = chart("Squared error, relative to the weights'", rows, 1,
                             {{"pruning", &T::error_prune},
                              {"quantization", &T::error_quantize},
                              {"both", &T::error_both}});
    errors.scale = report::Scale::logarithmic;
    add(std::move(errors));
    return charts;
  }

 private:
  LineChart percents(const char* title, const Rows& rows, std::initializer_list<Line> lines) const {
    LineChart result = chart(title, rows, 100, lines);
    result.shows = 0;
    result.at_least = 0;
    result.at_most = 100;
    return result;
  }

  LineChart chart(const char* title, const Rows& rows, double unit,
                  std::initializer_list<Line> lines) const {
    LineChart result;
    result.title = title;
    result.x_label = "epoch";
    result.bands = bands_;
    for (const Line& line : lines) {
      Series series{line.label, {}};
      for (const TelemetryRow* row : rows) {
        if (const auto& y = row->weight.*line.value)
          series.points.push_back({epochs_at(spans_, row->step), unit * *y});
      }
      if (!series.points.empty()) result.series.push_back(std::move(series));
    }
    return result;
  }

  const std::vector<ScheduleSpan>& spans_;
  std::vector<report::Band> bands_;
};

}  // namespace

std::vector<report::LayerCharts> telemetry_charts(std::span<const TelemetryRow> rows,
                                                  const RunConfig& run,
                                                  const std::vector<ScheduleSpan>& spans) {
  std::vector<std::pair<std::string, Rows>> layers;
  for (const TelemetryRow& row : rows) {
    auto layer = std::find_if(layers.begin(), layers.end(),
                              [&](const auto& entry) { return entry.first == row.layer; });
    if (layer == layers.end()) layer = layers.insert(layer, {row.layer, {}});
    layer->second.push_back(&row);
  }
  const Charts charts(run, spans);
  std::vector<report::LayerCharts> result;
  for (const auto& [layer, own] : layers) result.push_back(charts.of(layer, thinned(own)));
  return result;
}

}  // namespace pare
