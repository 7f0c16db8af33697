#include "apps/lib/experiment/contrast.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

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

Rest left_open(const Cell& cell, const std::vector<std::size_t>& points) {
  Rest rest = cell.at;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i] != kFree) rest[i] = kFree;
  }
  return rest;
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
  if (a == b)
    config::Node(contrast.b.written, path + ".b")
        .fail("expected two different points, got the same in a and b");
  std::map<Rest, std::size_t> partners;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (has_points(plan.cells[i], b)) partners[left_open(plan.cells[i], b)] = i;
  }
  std::vector<CellPair> pairs;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (!has_points(plan.cells[i], a)) continue;
    const auto partner = partners.find(left_open(plan.cells[i], a));
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

Rest rest_of(const Plan& plan, const Contrast& contrast, const CellPair& pair) {
  return left_open(plan.cells[pair.a], points_of(plan.experiment, contrast.a, "report"));
}

std::string label_of(const Plan& plan, const Rest& rest) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    const Axis& axis = plan.experiment.axes[i];
    if (rest[i] != kFree && axis.points.size() > 1)
      parts.push_back(short_name(axis.name) + " " + axis.points[rest[i]].label);
  }
  return parts.empty() ? "all" : join(parts, ", ");
}

std::string name_of(const Contrast& contrast) {
  return contrast.name.empty() ? point_text(contrast.a) + " minus " + point_text(contrast.b)
                               : contrast.name;
}

}  // namespace pare
