#include "apps/lib/experiment/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "apps/lib/experiment/figures.h"
#include "apps/lib/experiment/holm.h"
#include "apps/lib/experiment/paired.h"
#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/config/object.h"

namespace pare {
namespace {

constexpr std::size_t kFree = static_cast<std::size_t>(-1);  // an axis that a contrast leaves open

std::vector<std::string> labels_of(const Axis& axis) {
  std::vector<std::string> labels;
  for (const AxisPoint& point : axis.points) labels.push_back(point.label);
  return labels;
}

// Per axis: the index of the point that a condition asks for, or kFree.
std::vector<std::size_t> points_of(const ExperimentConfig& experiment, const Condition& condition,
                                   const std::string& path) {
  std::vector<std::size_t> points(experiment.axes.size(), kFree);
  std::vector<std::string> names;
  for (const Axis& axis : experiment.axes) names.push_back(axis.name);
  const config::Node node(condition.written, path);
  for (const Condition::Test& test : condition.tests) {
    const auto axis = std::find(names.begin(), names.end(), test.what);
    if (axis == names.end())
      node.fail(fmt::format("expected an axis ({}), got '{}'{}", join(names, ", "), test.what,
                            suggestion(test.what, names)));
    const auto i = static_cast<std::size_t>(axis - names.begin());
    const std::vector<AxisPoint>& all = experiment.axes[i].points;
    const auto point = std::find_if(
        all.begin(), all.end(), [&](const AxisPoint& p) { return p.value == test.values.front(); });
    if (point == all.end())
      node.fail(fmt::format("expected a point of '{}' ({}), got {}", test.what,
                            join(labels_of(experiment.axes[i]), ", "), test.values.front().dump()));
    points[i] = static_cast<std::size_t>(point - all.begin());
  }
  return points;
}

bool has_points(const Cell& cell, const std::vector<std::size_t>& points) {
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i] != kFree && cell.at[i] != points[i]) return false;
  }
  return true;
}

// The cell's place with what the contrast fixes left open: equal for both cells of a pair.
std::vector<std::size_t> rest_of(const Cell& cell, const std::vector<std::size_t>& points) {
  std::vector<std::size_t> rest = cell.at;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i] != kFree) rest[i] = kFree;
  }
  return rest;
}

std::string rest_label(const ExperimentConfig& experiment, const std::vector<std::size_t>& rest) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const Axis& axis = experiment.axes[i];
    if (rest[i] != kFree && axis.points.size() > 1)
      parts.push_back(short_name(axis.name) + " " + axis.points[rest[i]].label);
  }
  return parts.empty() ? "all" : join(parts, ", ");
}

std::string point_text(const Condition& condition) {
  std::vector<std::string> parts;
  for (const Condition::Test& test : condition.tests) {
    const config::Json& value = test.values.front();
    parts.push_back(value.is_string() ? value.get<std::string>()
                                      : short_name(test.what) + " " + value.dump());
  }
  return join(parts, ", ");
}

std::string name_of(const Contrast& contrast) {
  return contrast.name.empty() ? point_text(contrast.a) + " minus " + point_text(contrast.b)
                               : contrast.name;
}

// The first figure by seed.
std::map<std::uint64_t, double> by_seed(const Plan& plan, const Collected& collected,
                                        std::size_t cell, const std::string& name) {
  std::map<std::uint64_t, double> values;
  for (const PlannedRow& row : plan.rows) {
    if (row.cell != cell || !collected.results[row.run]) continue;
    if (const auto value = figure(*collected.results[row.run], name)) values[row.seed] = *value;
  }
  return values;
}

std::vector<double> differences_of(const Plan& plan, const Collected& collected, CellPair pair) {
  const std::string& name = plan.experiment.report.figures[0];
  const auto b = by_seed(plan, collected, pair.b, name);
  std::vector<double> differences;
  for (const auto& [seed, value] : by_seed(plan, collected, pair.a, name)) {
    if (const auto other = b.find(seed); other != b.end())
      differences.push_back(value - other->second);
  }
  return differences;
}

CellComparison compare(const Plan& plan, const Collected& collected, CellPair pair,
                       const std::string& label) {
  CellComparison c{.cells = pair, .label = label};
  c.differences = differences_of(plan, collected, pair);
  c.summary = summarize(c.differences);
  c.t = paired_t(c.differences);
  c.ranks = signed_ranks(c.differences);
  c.equal = equivalence(c.differences, plan.experiment.report.margin);
  return c;
}

void adjust(Comparison& comparison) {
  std::vector<double> p;
  for (const CellComparison& cell : comparison.cells) {
    if (cell.t) p.push_back(*cell.t);
  }
  const std::vector<double> adjusted = holm(p);
  std::size_t next = 0;
  for (CellComparison& cell : comparison.cells) {
    if (cell.t) cell.t_holm = adjusted[next++];
    if (cell.summary.n == 0) continue;
    comparison.positive += cell.summary.mean > 0 ? 1 : 0;
    comparison.negative += cell.summary.mean < 0 ? 1 : 0;
  }
  if (comparison.cells.size() > 1)
    comparison.signs = sign_test(comparison.positive, comparison.negative);
}

std::vector<std::size_t> points_of_pair(const Plan& plan, const Contrast& contrast) {
  return points_of(plan.experiment, contrast.a, "report");
}

// Mean difference of each pair, by what its cells have in common.
std::map<std::vector<std::size_t>, double> mean_differences(const Plan& plan,
                                                            const Collected& collected,
                                                            const Contrast& contrast) {
  const std::vector<std::size_t> points = points_of_pair(plan, contrast);
  std::map<std::vector<std::size_t>, double> means;
  for (const CellPair& pair : pairs_of(plan, contrast, "report")) {
    const Summary s = summarize(differences_of(plan, collected, pair));
    if (s.n > 0) means[rest_of(plan.cells[pair.a], points)] = s.mean;
  }
  return means;
}

}  // namespace

std::string short_name(const std::string& axis) {
  const bool ends_of_schedule = axis.ends_with(".to") || axis.ends_with(".from");
  const std::string name = ends_of_schedule ? axis.substr(0, axis.rfind('.')) : axis;
  return name.substr(name.rfind('.') + 1);
}

std::vector<CellPair> pairs_of(const Plan& plan, const Contrast& contrast,
                               const std::string& path) {
  const auto a = points_of(plan.experiment, contrast.a, path + ".a");
  const auto b = points_of(plan.experiment, contrast.b, path + ".b");
  for (std::size_t i = 0; i < a.size(); ++i) {
    if ((a[i] == kFree) != (b[i] == kFree))
      config::Node(contrast.b.written, path + ".b")
          .fail(fmt::format("expected points of the same axes as a; '{}' is in one of the two only",
                            plan.experiment.axes[i].name));
  }
  std::map<std::vector<std::size_t>, std::size_t> partners;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (has_points(plan.cells[i], b)) partners[rest_of(plan.cells[i], b)] = i;
  }
  std::vector<CellPair> pairs;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (!has_points(plan.cells[i], a)) continue;
    const auto partner = partners.find(rest_of(plan.cells[i], a));
    if (partner != partners.end()) pairs.push_back({i, partner->second});
  }
  if (pairs.empty())
    config::Node(contrast.a.written, path + ".a").fail("there is no pair of cells to compare");
  return pairs;
}

void check_comparisons(const Plan& plan) {
  const ExperimentReport& report = plan.experiment.report;
  for (std::size_t i = 0; i < report.compare.size(); ++i)
    pairs_of(plan, report.compare[i], fmt::format("report.compare[{}]", i));
  for (std::size_t i = 0; i < report.correlate.size(); ++i) {
    pairs_of(plan, report.correlate[i].x, fmt::format("report.correlate[{}].x", i));
    pairs_of(plan, report.correlate[i].y, fmt::format("report.correlate[{}].y", i));
  }
}

Summary cell_summary(const Plan& plan, const Collected& collected, std::size_t cell,
                     const std::string& name) {
  std::vector<double> values;
  for (const auto& [seed, value] : by_seed(plan, collected, cell, name)) values.push_back(value);
  return summarize(values);
}

std::vector<Comparison> comparisons(const Plan& plan, const Collected& collected) {
  std::vector<Comparison> all;
  for (const Contrast& contrast : plan.experiment.report.compare) {
    Comparison comparison{.name = name_of(contrast), .cells = {}};
    const std::vector<std::size_t> points = points_of_pair(plan, contrast);
    for (const CellPair& pair : pairs_of(plan, contrast, "report")) {
      const std::string label = rest_label(plan.experiment, rest_of(plan.cells[pair.a], points));
      comparison.cells.push_back(compare(plan, collected, pair, label));
    }
    adjust(comparison);
    all.push_back(std::move(comparison));
  }
  return all;
}

std::vector<CorrelationResult> correlations(const Plan& plan, const Collected& collected) {
  std::vector<CorrelationResult> all;
  for (const Correlation& asked : plan.experiment.report.correlate) {
    CorrelationResult result{.name = asked.name,
                             .x_name = name_of(asked.x),
                             .y_name = name_of(asked.y),
                             .labels = {},
                             .x = {},
                             .y = {}};
    if (result.name.empty()) result.name = result.y_name + " against " + result.x_name;
    const auto y = mean_differences(plan, collected, asked.y);
    for (const auto& [rest, value] : mean_differences(plan, collected, asked.x)) {
      const auto other = y.find(rest);
      if (other == y.end()) continue;
      result.labels.push_back(rest_label(plan.experiment, rest));
      result.x.push_back(value);
      result.y.push_back(other->second);
    }
    result.correlated = correlation(result.x, result.y);
    all.push_back(std::move(result));
  }
  return all;
}

}  // namespace pare
