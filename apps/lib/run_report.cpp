#include "apps/lib/run_report.h"

#include <algorithm>

#include "apps/lib/judgement.h"
#include "apps/lib/phases.h"
#include "apps/lib/summary.h"
#include "apps/lib/time_axis.h"
#include "framework/config/config.h"

namespace pare {
namespace {

using report::LineChart;
using report::Point;

constexpr std::int64_t kRatePoints = 100;  // of a phase's learning rate
// Values that differ by more than this factor are drawn on a logarithmic axis.
constexpr double kManyTimes = 30;

// One point per row that has the value.
template <class Value>
report::Series of_rows(const char* label, const Trainer& trainer, const Value& value) {
  report::Series series{label, {}};
  for (const EpochRow& row : trainer.state().rows) {
    const std::optional<double> y = value(row);
    if (y) series.points.push_back({epochs_at(trainer.spans(), row.step), *y});
  }
  return series;
}

std::optional<double> in_percent(const std::optional<double>& fraction) {
  return fraction ? std::optional(100 * *fraction) : std::nullopt;
}

// The schedules' values at updates that are done, some per phase, the last one among them.
report::Series learning_rates(const RunConfig& run, const Trainer& trainer) {
  const std::vector<RateCourse> courses = rate_courses(run, trainer.spans());
  report::Series series{"", {}, false};
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < run.phases.size(); ++i) {
    const std::int64_t steps = trainer.spans()[i].steps;
    const std::int64_t done = std::min(steps, trainer.state().run_step - begin);
    const std::int64_t stride = std::max<std::int64_t>(1, steps / kRatePoints);
    const auto add = [&](std::int64_t step) {
      const double rate = courses[i].at(run.phases[i].optimizer.learning_rate, step);
      series.points.push_back({epochs_at(trainer.spans(), begin + step + 1), rate});
    };
    for (std::int64_t step = 0; step < done - 1; step += stride) add(step);
    if (done > 0) add(done - 1);
    begin += steps;
  }
  return series;
}

report::Scale scale_for(const std::vector<report::Series>& series) {
  double low = 0, high = 0;
  for (const report::Series& s : series) {
    for (const Point& p : s.points) {
      if (p.y > 0 && (low == 0 || p.y < low)) low = p.y;
      high = std::max(high, p.y);
    }
  }
  return high > kManyTimes * low && low > 0 ? report::Scale::logarithmic : report::Scale::linear;
}

LineChart chart(const RunConfig& run, const Trainer& trainer, const char* title,
                std::vector<report::Series> series) {
  LineChart result;
  result.title = title;
  result.x_label = "epoch";
  result.series = std::move(series);
  result.bands = phase_bands(run, trainer.spans());
  result.at_least = 0;
  const TrainingState& state = trainer.state();
  if (!state.rows.empty() && state.phase == run.phases.size()) {
    result.mark = epochs_at(trainer.spans(), state.rows[trainer.kept()].step);
    result.mark_label = "shipped";
  }
  return result;
}

LineChart loss_chart(const RunConfig& run, const Trainer& trainer) {
  LineChart result = chart(run, trainer, "Loss",
                           {of_rows("training, mean since the point before", trainer,
                                    [](const EpochRow& r) { return r.loss; })});
  result.scale = scale_for(result.series);
  return result;
}

LineChart accuracy_chart(const RunConfig& run, const Trainer& trainer) {
  const bool augmented = !run.dataset.augment.empty();
  LineChart result = chart(
      run, trainer, "Accuracy (%)",
      {of_rows(augmented ? "training, augmented" : "training", trainer,
               [](const EpochRow& r) { return in_percent(r.accuracy); }),
       of_rows("validation", trainer, [](const EpochRow& r) { return in_percent(r.validation); })});
  std::erase_if(result.series, [](const report::Series& s) { return s.points.empty(); });
  result.at_most = 100;
  return result;
}

LineChart rate_chart(const RunConfig& run, const Trainer& trainer) {
  LineChart result = chart(run, trainer, "Learning rate", {learning_rates(run, trainer)});
  result.shows = 0;
  result.scale = scale_for(result.series);
  return result;
}

LineChart sparsity_chart(const RunConfig& run, const Trainer& trainer) {
  report::Series masked = of_rows("weights under a mask", trainer,
                                  [](const EpochRow& r) { return in_percent(r.sparsity); });
  masked.points.insert(masked.points.begin(), Point{0, 0});
  LineChart result = chart(run, trainer, "Sparsity (%)", {std::move(masked)});
  result.at_most = 100;
  return result;
}

report::Page begun(const RunConfig& run, const Dataset& dataset, const Trainer& trainer,
                   const std::string& command) {
  report::Page page;
  page.name = run.name;
  page.summary = headline(run, dataset).substr(run.name.size() + 2);  // without the name
  page.curves = curves(run, trainer);
  page.command = command;
  page.version = PARE_VERSION;
  page.data_hash = dataset.hash;
  page.config = config::write(run);
  return page;
}

report::LayerHistograms histograms_of(const LayerStatistics& layer) {
  return {layer.name, layer.weights.histogram, layer.activations.histogram, layer.weights.grid,
          layer.activations.grid};
}

}  // namespace

std::vector<LineChart> curves(const RunConfig& run, const Trainer& trainer) {
  std::vector<LineChart> charts = {loss_chart(run, trainer), accuracy_chart(run, trainer),
                                   rate_chart(run, trainer)};
  const std::vector<EpochRow>& rows = trainer.state().rows;
  const bool pruned =
      std::any_of(rows.begin(), rows.end(), [](const EpochRow& row) { return row.sparsity > 0; });
  if (pruned) charts.push_back(sparsity_chart(run, trainer));
  return charts;
}

report::Page unfinished_page(const RunConfig& run, const Dataset& dataset, const Trainer& trainer,
                             const std::string& command, const std::string& why) {
  report::Page page = begun(run, dataset, trainer, command);
  page.unfinished = why;
  return page;
}

report::Page finished_page(const RunConfig& run, const Dataset& dataset, Trainer& trainer,
                           const Outcome& outcome, const std::vector<LayerStatistics>& layers,
                           const config::Json& result, const std::string& command) {
  report::Page page = begun(run, dataset, trainer, command);
  page.result = result;
  page.judgement = judge(trainer.network(), dataset, outcome, run.report.images);
  page.matrices = weight_matrices(trainer.network());
  if (run.report.histograms) {
    for (const LayerStatistics& layer : layers) page.histograms.push_back(histograms_of(layer));
  }
  return page;
}

}  // namespace pare
