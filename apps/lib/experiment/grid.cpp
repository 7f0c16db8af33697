#include "apps/lib/experiment/grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "apps/lib/run_config.h"
#include "framework/base/text.h"
#include "framework/config/config.h"

namespace pare {
namespace {

using config::Json;
using config::Value;

constexpr std::size_t kMostCells = 100'000;  // a typing mistake, not an experiment
constexpr int kLatestRank = 1'000'000;       // nothing on a command line is given later

std::vector<std::string> axis_names(const ExperimentConfig& experiment) {
  std::vector<std::string> names;
  for (const Axis& axis : experiment.axes) names.push_back(axis.name);
  return names;
}

std::size_t count_combinations(const ExperimentConfig& experiment) {
  std::size_t count = 1;
  for (const Axis& axis : experiment.axes) {
    count *= axis.points.size();
    if (count > kMostCells)
      throw ConfigError(fmt::format("axes: more than {} combinations", kMostCells));
  }
  return count;
}

Value load_base(const std::string& base, const ExperimentConfig& experiment,
                std::span<const std::string> sets) {
  Value root = config::load_file(find_config(base));
  int rank = 0;
  for (const Change& change : experiment.set) assign(root, change.path, change.value, ++rank);
  for (const std::string& assignment : sets) config::assign(root, assignment, ++rank);
  return root;
}

// The n-th combination, the last axis varying fastest.
std::vector<std::size_t> combination(const ExperimentConfig& experiment, std::size_t n) {
  std::vector<std::size_t> at(experiment.axes.size());
  for (std::size_t i = at.size(); i-- > 0;) {
    const std::size_t size = experiment.axes[i].points.size();
    at[i] = n % size;
    n /= size;
  }
  return at;
}

// The config that a cell changes: a point of the axis "base" names its own.
const std::string& base_of(const ExperimentConfig& experiment, const std::vector<std::size_t>& at) {
  for (std::size_t i = 0; i < at.size(); ++i) {
    const std::string& own = experiment.axes[i].points[at[i]].base;
    if (!own.empty()) return own;
  }
  return experiment.bases.front();
}

Cell make_cell(const ExperimentConfig& experiment, const std::map<std::string, Value>& bases,
               std::size_t n) {
  Cell cell{.at = combination(experiment, n), .config = {}, .seeds = experiment.seeds};
  cell.config = bases.at(base_of(experiment, cell.at));
  for (std::size_t i = 0; i < cell.at.size(); ++i) {
    for (const Change& change : experiment.axes[i].points[cell.at[i]].changes)
      assign(cell.config, change.path, change.value, kLatestRank);
  }
  return cell;
}

// Decides a condition and remembers whether it ever held.
class Matcher {
 public:
  Matcher(const ExperimentConfig& experiment, const Condition& condition, std::string path)
      : experiment_(experiment), condition_(condition), path_(std::move(path)) {
    for (const Condition::Test& test : condition.tests) require_known_points(test);
  }

  bool holds(const Cell& cell) {
    const bool all =
        std::all_of(condition_.tests.begin(), condition_.tests.end(), [&](const auto& test) {
          const Json value = value_of(test.what, cell);
          return std::find(test.values.begin(), test.values.end(), value) != test.values.end();
        });
    held_ = held_ || all;
    return all;
  }

  void require_held() const {
    if (!held_) fail("it holds in no cell");
  }

 private:
  const Axis* axis_of(const std::string& name) const {
    for (const Axis& axis : experiment_.axes) {
      if (axis.name == name) return &axis;
    }
    return nullptr;
  }

  void require_known_points(const Condition::Test& test) const {
    const Axis* axis = axis_of(test.what);
    if (!axis) return;
    std::vector<std::string> labels;
    for (const AxisPoint& point : axis->points) labels.push_back(point.label);
    for (const Json& value : test.values) {
      const bool known = std::any_of(axis->points.begin(), axis->points.end(),
                                     [&](const AxisPoint& p) { return p.value == value; });
      if (known) continue;
      const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
      fail(fmt::format("expected a point of the axis '{}' ({}), got {}{}", test.what,
                       join(labels, ", "), value.dump(), suggestion(text, labels)));
    }
  }

  Json value_of(const std::string& what, const Cell& cell) const {
    for (std::size_t i = 0; i < cell.at.size(); ++i) {
      const Axis& axis = experiment_.axes[i];
      if (axis.name == what) return axis.points[cell.at[i]].value;
    }
    if (const Value* value = config::find_path(cell.config, what)) return to_json(*value);
    fail(fmt::format("'{}' is neither an axis nor a key that the base or an axis gives{}", what,
                     suggestion(what, axis_names(experiment_))));
  }

  [[noreturn]] void fail(const std::string& message) const {
    config::Node(condition_.written, path_).fail(message);
  }

  const ExperimentConfig& experiment_;
  const Condition& condition_;
  std::string path_;
  bool held_ = false;
};

std::vector<Matcher> matchers_of(const ExperimentConfig& experiment,
                                 const std::vector<const Condition*>& conditions,
                                 const std::string& pattern) {
  std::vector<Matcher> matchers;
  for (std::size_t i = 0; i < conditions.size(); ++i)
    matchers.emplace_back(experiment, *conditions[i], fmt::format(fmt::runtime(pattern), i));
  return matchers;
}

// Points that not every cell may have.
class PointConditions {
 public:
  explicit PointConditions(const ExperimentConfig& experiment) {
    for (std::size_t i = 0; i < experiment.axes.size(); ++i) {
      const Axis& axis = experiment.axes[i];
      for (std::size_t point = 0; point < axis.points.size(); ++point) {
        if (const auto& where = axis.points[point].where) {
          const std::string path = fmt::format("axes.{}[{}].where", axis.name, point);
          points_.push_back({i, point, Matcher(experiment, *where, path)});
        }
      }
    }
  }

  bool allow(const Cell& cell) {
    bool allowed = true;  // every condition is asked: each must hold somewhere
    for (Point& p : points_) {
      if (cell.at[p.axis] == p.point) allowed = p.where.holds(cell) && allowed;
    }
    return allowed;
  }

  void require_held() const {
    for (const Point& p : points_) p.where.require_held();
  }

 private:
  struct Point {
    std::size_t axis, point;
    Matcher where;
  };
  std::vector<Point> points_;
};

void add_seeds(std::vector<std::uint64_t>& seeds, const std::vector<std::uint64_t>& more) {
  for (const std::uint64_t seed : more) {
    if (std::find(seeds.begin(), seeds.end(), seed) == seeds.end()) seeds.push_back(seed);
  }
}

}  // namespace

std::vector<Cell> make_grid(const ExperimentConfig& experiment, std::span<const std::string> sets) {
  std::vector<const Condition*> out, more, beside;
  for (const Condition& condition : experiment.exclude) out.push_back(&condition);
  for (const MoreSeeds& seeds : experiment.more_seeds) more.push_back(&seeds.where);
  std::vector<Matcher> excluded = matchers_of(experiment, out, "exclude[{}]");
  std::vector<Matcher> seeded = matchers_of(experiment, more, "more_seeds[{}].where");
  const std::optional<Published>& published = experiment.report.published;
  const std::size_t numbers = published ? published->values.size() : 0;
  for (std::size_t i = 0; i < numbers; ++i) beside.push_back(&published->values[i].where);
  std::vector<Matcher> numbered =
      matchers_of(experiment, beside, "report.published.values[{}].where");

  PointConditions points(experiment);

  std::map<std::string, Value> bases;
  for (const std::string& base : experiment.bases)
    bases.emplace(base, load_base(base, experiment, sets));
  const std::size_t count = count_combinations(experiment);
  std::vector<Cell> cells;
  for (std::size_t n = 0; n < count; ++n) {
    Cell cell = make_cell(experiment, bases, n);
    if (!points.allow(cell)) continue;
    // Every condition is asked: each must hold somewhere.
    if (std::count_if(excluded.begin(), excluded.end(),
                      [&](Matcher& matcher) { return matcher.holds(cell); }) > 0) {
      continue;
    }
    for (std::size_t i = 0; i < seeded.size(); ++i) {
      if (seeded[i].holds(cell)) add_seeds(cell.seeds, experiment.more_seeds[i].seeds);
    }
    for (std::size_t i = 0; i < numbers; ++i) {
      if (numbered[i].holds(cell) && !cell.published) cell.published = published->values[i].value;
    }
    cells.push_back(std::move(cell));
  }
  points.require_held();
  for (const auto* matchers : {&excluded, &seeded, &numbered}) {
    for (const Matcher& matcher : *matchers) matcher.require_held();
  }
  if (cells.empty()) throw ConfigError("exclude: every cell is excluded");
  return cells;
}

std::string label(const ExperimentConfig& experiment, const Cell& cell) {
  std::string text;
  for (std::size_t i = 0; i < cell.at.size(); ++i) {
    const Axis& axis = experiment.axes[i];
    text += fmt::format("{}{}={}", i > 0 ? " " : "", axis.name, axis.points[cell.at[i]].label);
  }
  return text.empty() ? "the base config" : text;
}

}  // namespace pare
