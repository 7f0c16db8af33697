#include "apps/lib/experiment/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "apps/lib/experiment/figures.h"
#include "apps/lib/experiment/holm.h"
#include "apps/lib/experiment/paired.h"

namespace pare {
namespace {

using BySeed = std::map<std::uint64_t, double>;

constexpr std::size_t kLeastSeeds = 3;  // of a jackknife

std::map<std::uint64_t, std::size_t> runs_of(const Plan& plan, std::size_t cell) {
  std::map<std::uint64_t, std::size_t> runs;
  for (const PlannedRow& row : plan.rows) {
    if (row.cell == cell) runs[row.seed] = row.run;
  }
  return runs;
}

BySeed figures_of(const Plan& plan, const Collected& collected, std::size_t cell,
                  const std::string& name) {
  BySeed values;
  for (const auto& [seed, run] : runs_of(plan, cell)) {
    if (!collected.results[run]) continue;
    if (const auto value = figure(*collected.results[run], name)) values[seed] = *value;
  }
  return values;
}

std::vector<double> values_of(const BySeed& by_seed) {
  std::vector<double> values;
  for (const auto& [seed, value] : by_seed) values.push_back(value);
  return values;
}

// Accuracies are whole images over their number: equal differences must be equal numbers, for the
// ties of ranks and where there is no spread. Adding 0 makes 0 of -0.
double rounded(double difference) { return std::round(difference * 1e9) / 1e9 + 0.0; }

BySeed differences_of(const Plan& plan, const Collected& collected, CellPair pair) {
  const std::string& name = plan.experiment.report.figures[0];
  const BySeed b = figures_of(plan, collected, pair.b, name);
  BySeed differences;
  for (const auto& [seed, value] : figures_of(plan, collected, pair.a, name)) {
    if (const auto other = b.find(seed); other != b.end())
      differences[seed] = rounded(value - other->second);
  }
  return differences;
}

// The runs of a and b, of each seed that the plan has for both.
using RunPairs = std::vector<std::pair<std::size_t, std::size_t>>;
RunPairs run_pairs(const Plan& plan, CellPair pair) {
  const auto b = runs_of(plan, pair.b);
  RunPairs pairs;
  for (const auto& [seed, run] : runs_of(plan, pair.a)) {
    if (const auto other = b.find(seed); other != b.end()) pairs.emplace_back(run, other->second);
  }
  return pairs;
}

CellComparison compare(const Plan& plan, const Collected& collected, CellPair pair,
                       const std::string& label) {
  CellComparison c{.cells = pair, .label = label};
  const RunPairs runs = run_pairs(plan, pair);
  c.planned = runs.size();
  c.same_runs = std::all_of(runs.begin(), runs.end(),
                            [](const auto& both) { return both.first == both.second; });
  for (const auto& [seed, difference] : differences_of(plan, collected, pair)) {
    c.seeds.push_back(seed);
    c.differences.push_back(difference);
  }
  c.summary = summarize(c.differences);
  if (c.same_runs) return c;
  c.t = paired_t(c.differences);
  c.ranks = signed_ranks(c.differences);
  c.equal = equivalence(c.differences, plan.experiment.report.margin);
  return c;
}

void find_repeats(const Plan& plan, std::vector<CellComparison>& cells) {
  std::map<RunPairs, std::size_t> first;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto [place, is_new] = first.emplace(run_pairs(plan, cells[i].cells), i);
    if (!is_new) cells[i].repeats = place->second;
  }
}

// Holm's correction of the distinct ones' `from`, written to `to`. Returns how many those are.
using P = std::optional<double> CellComparison::*;
std::size_t adjust(std::vector<CellComparison>& cells, P from, P to) {
  std::vector<double> p;
  for (const CellComparison& cell : cells) {
    if (!cell.repeats && cell.*from) p.push_back(*(cell.*from));
  }
  const std::vector<double> adjusted = holm(p);
  std::size_t next = 0;
  for (CellComparison& cell : cells) {
    if (cell.repeats) {
      cell.*to = cells[*cell.repeats].*to;
    } else if (cell.*from) {
      cell.*to = adjusted[next++];
    }
  }
  return p.size();
}

// The mean over cells for each seed that all of them have.
std::vector<double> means_by_seed(const std::vector<const CellComparison*>& cells) {
  std::map<std::uint64_t, std::vector<double>> by_seed;
  for (const CellComparison* cell : cells) {
    for (std::size_t i = 0; i < cell->seeds.size(); ++i)
      by_seed[cell->seeds[i]].push_back(cell->differences[i]);
  }
  std::vector<double> means;
  for (const auto& [seed, values] : by_seed) {
    if (values.size() == cells.size()) means.push_back(rounded(summarize(values).mean));
  }
  return means;
}

// Cells share seeds, so they are no sample of their own: seeds are.
void sum_up(Comparison& comparison) {
  std::vector<const CellComparison*> distinct;
  for (const CellComparison& cell : comparison.cells) {
    if (cell.repeats || cell.same_runs || cell.summary.n == 0) continue;
    distinct.push_back(&cell);
    const double mean = rounded(cell.summary.mean);
    comparison.positive += mean > 0 ? 1 : 0;
    comparison.negative += mean < 0 ? 1 : 0;
  }
  comparison.distinct = distinct.size();
  const std::vector<double> means = means_by_seed(distinct);
  comparison.overall = summarize(means);
  comparison.overall_t = paired_t(means);
}

// A contrast of one cell: its difference for each seed, and the runs behind it.
struct Contrasted {
  BySeed differences;
  RunPairs runs;
};

std::map<Rest, Contrasted> contrasted(const Plan& plan, const Collected& collected,
                                      const Contrast& contrast) {
  std::map<Rest, Contrasted> cells;
  for (const CellPair& pair : pairs_of(plan, contrast, "report")) {
    BySeed differences = differences_of(plan, collected, pair);
    if (differences.empty()) continue;
    cells[rest_of(plan, contrast, pair)] = {std::move(differences), run_pairs(plan, pair)};
  }
  return cells;
}

double mean_without(const BySeed& by_seed, std::optional<std::uint64_t> left_out) {
  BySeed kept = by_seed;
  if (left_out) kept.erase(*left_out);
  return rounded(summarize(values_of(kept)).mean);
}

// A point of a correlation.
struct Point {
  Rest rest;
  BySeed x, y;
};

std::vector<Point> points_of(const Plan& plan, const Collected& collected,
                             const Correlation& asked) {
  const auto y = contrasted(plan, collected, asked.y);
  std::set<std::pair<RunPairs, RunPairs>> seen;
  std::vector<Point> points;
  for (const auto& [rest, x] : contrasted(plan, collected, asked.x)) {
    const auto other = y.find(rest);
    if (other == y.end() || !seen.emplace(x.runs, other->second.runs).second) continue;
    points.push_back({rest, x.differences, other->second.differences});
  }
  return points;
}

std::vector<double> means(const std::vector<Point>& points, BySeed Point::*side,
                          std::optional<std::uint64_t> left_out = std::nullopt) {
  std::vector<double> all;
  for (const Point& point : points) all.push_back(mean_without(point.*side, left_out));
  return all;
}

// The seeds that both sides of all points have.
std::vector<std::uint64_t> common_seeds(const std::vector<Point>& points) {
  std::map<std::uint64_t, std::size_t> sides;
  for (const Point& point : points) {
    for (const BySeed* side : {&point.x, &point.y}) {
      for (const auto& [seed, value] : *side) ++sides[seed];
    }
  }
  std::erase_if(sides, [&](const auto& entry) { return entry.second < 2 * points.size(); });
  std::vector<std::uint64_t> seeds;
  for (const auto& [seed, count] : sides) seeds.push_back(seed);
  return seeds;
}

// Further seeds of some cells would make x and y means over different ones.
void leave(std::vector<Point>& points, const std::vector<std::uint64_t>& seeds) {
  const auto further = [&seeds](const auto& entry) {
    return !std::ranges::binary_search(seeds, entry.first);
  };
  for (Point& point : points) {
    std::erase_if(point.x, further);
    std::erase_if(point.y, further);
  }
}

std::optional<Interval> interval_over_seeds(const std::vector<Point>& points,
                                            const std::vector<std::uint64_t>& seeds, double r) {
  std::vector<double> without;
  if (seeds.size() < kLeastSeeds) return std::nullopt;
  for (const std::uint64_t seed : seeds) {
    const auto c = correlation(means(points, &Point::x, seed), means(points, &Point::y, seed));
    if (!c) return std::nullopt;
    without.push_back(c->r);
  }
  return jackknife(r, without);
}

}  // namespace

Summary cell_summary(const Plan& plan, const Collected& collected, std::size_t cell,
                     const std::string& name) {
  return summarize(values_of(figures_of(plan, collected, cell, name)));
}

std::vector<Comparison> comparisons(const Plan& plan, const Collected& collected) {
  std::vector<Comparison> all;
  for (const Contrast& contrast : plan.experiment.report.compare) {
    Comparison comparison{.name = name_of(contrast), .cells = {}};
    for (const CellPair& pair : pairs_of(plan, contrast, "report")) {
      const std::string label = label_of(plan, rest_of(plan, contrast, pair));
      comparison.cells.push_back(compare(plan, collected, pair, label));
    }
    find_repeats(plan, comparison.cells);
    comparison.tests = adjust(comparison.cells, &CellComparison::t, &CellComparison::t_holm);
    adjust(comparison.cells, &CellComparison::ranks, &CellComparison::ranks_holm);
    comparison.equal_tests =
        adjust(comparison.cells, &CellComparison::equal, &CellComparison::equal_holm);
    sum_up(comparison);
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
    std::vector<Point> points = points_of(plan, collected, asked);
    const std::vector<std::uint64_t> seeds = common_seeds(points);
    result.seeds = seeds.size();
    if (seeds.size() >= kLeastSeeds) leave(points, seeds);
    for (const Point& point : points) result.labels.push_back(label_of(plan, point.rest));
    result.x = means(points, &Point::x);
    result.y = means(points, &Point::y);
    result.correlated = correlation(result.x, result.y);
    if (result.correlated)
      result.by_seed = interval_over_seeds(points, seeds, result.correlated->r);
    all.push_back(std::move(result));
  }
  return all;
}

}  // namespace pare
