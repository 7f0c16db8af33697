#include "compression/prune/pruner.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "compression/prune/magnitude.h"
#include "compression/prune/mask.h"
#include "framework/base/error.h"

namespace pare {
namespace {

// A kept weight as a candidate for pruning, in a total order: score, then what decides ties, then
// target and index.
struct Candidate {
  float score;
  float tie;
  std::uint32_t target;
  std::uint32_t index;
  bool operator<(const Candidate& other) const {
    if (score != other.score) return score < other.score;
    if (tie != other.tie) return tie < other.tie;
    if (target != other.target) return target < other.target;
    return index < other.index;
  }
};

std::int64_t quota(double sparsity, std::int64_t size) {
  // The product of a decimal fraction and a size may lie a rounding error above the whole number
  // that is meant.
  const auto wanted =
      static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(size) - 1e-6));
  return std::clamp<std::int64_t>(wanted, 0, size);
}

// Of target t.
std::vector<Candidate> kept_weights(std::span<const PruneTarget> targets, std::uint32_t t,
                                    std::span<const std::vector<float>> scores,
                                    const Selection& selection) {
  std::vector<Candidate> candidates;
  const std::vector<std::uint8_t>& keep = targets[t].mask->keep();
  candidates.reserve(keep.size());
  for (std::uint32_t i = 0; i < keep.size(); ++i) {
    const float tie = selection.ties.empty() ? 0.0f : selection.ties[t][i];
    if (keep[i]) candidates.push_back({scores[t][i], tie, t, i});
  }
  return candidates;
}

// Prunes the `count` least important of the candidates and removes them from the list.
void prune_least(std::span<const PruneTarget> targets, std::vector<Candidate>& candidates,
                 std::int64_t count) {
  count = std::clamp<std::int64_t>(count, 0, static_cast<std::int64_t>(candidates.size()));
  const auto end = candidates.begin() + count;
  std::nth_element(candidates.begin(), end, candidates.end());
  for (auto it = candidates.begin(); it != end; ++it)
    targets[it->target].mask->keep()[it->index] = 0;
  candidates.erase(candidates.begin(), end);
}

// Drops the `count` most important candidates: they are not up for selection.
void protect_most(std::vector<Candidate>& candidates, std::int64_t count) {
  count = std::clamp<std::int64_t>(count, 0, static_cast<std::int64_t>(candidates.size()));
  const auto end = candidates.end() - count;
  std::nth_element(candidates.begin(), end, candidates.end());
  candidates.erase(end, candidates.end());
}

std::int64_t total_pruned(std::span<const PruneTarget> targets) {
  std::int64_t pruned = 0;
  for (const PruneTarget& target : targets) pruned += target.mask->pruned();
  return pruned;
}

void select_globally(std::span<const PruneTarget> targets,
                     std::span<const std::vector<float>> scores, const Selection& s) {
  std::int64_t size = 0;
  std::vector<Candidate> all;
  for (std::uint32_t t = 0; t < targets.size(); ++t) {
    const std::int64_t n = targets[t].parameter->shape().size();
    size += n;
    std::vector<Candidate> own = kept_weights(targets, t, scores, s);
    prune_least(targets, own,
                quota(std::min(s.min_sparsity, s.sparsity), n) - targets[t].mask->pruned());
    protect_most(own, n - quota(s.max_sparsity, n));
    all.insert(all.end(), own.begin(), own.end());
  }
  prune_least(targets, all, quota(s.sparsity, size) - total_pruned(targets));
}

}  // namespace

std::span<const PrunerRow> pruner_table() {
  static const std::array<PrunerRow, 2> rows{{
      {"magnitude", "smallest absolute value first", score_magnitude},
      {"random", "any weight, the baseline", score_random},
  }};
  return rows;
}

const PrunerRow& pruner(const std::string& name) {
  const auto rows = pruner_table();
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const PrunerRow& r) { return r.name == name; });
  PARE_ENSURE(row != rows.end());
  return *row;
}

std::int64_t select(std::span<const PruneTarget> targets,
                    std::span<const std::vector<float>> scores, const Selection& selection) {
  const std::int64_t before = total_pruned(targets);
  if (selection.scope == PruneScope::global) {
    select_globally(targets, scores, selection);
  } else {
    for (std::uint32_t t = 0; t < targets.size(); ++t) {
      std::vector<Candidate> own = kept_weights(targets, t, scores, selection);
      const std::int64_t wanted = quota(selection.sparsity, targets[t].parameter->shape().size());
      prune_least(targets, own, wanted - targets[t].mask->pruned());
    }
  }
  return total_pruned(targets) - before;
}

std::int64_t select_below(std::span<const PruneTarget> targets,
                          std::span<const std::vector<float>> scores,
                          std::span<const double> limits) {
  const std::int64_t before = total_pruned(targets);
  for (std::size_t t = 0; t < targets.size(); ++t) {
    std::vector<std::uint8_t>& keep = targets[t].mask->keep();
    for (std::size_t i = 0; i < keep.size(); ++i) {
      if (static_cast<double>(scores[t][i]) < limits[t]) keep[i] = 0;
    }
  }
  return total_pruned(targets) - before;
}

}  // namespace pare
