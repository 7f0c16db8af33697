#include "compression/prune/select.h"

#include <algorithm>
#include <cmath>

namespace pare {
namespace {

// A kept group as a candidate for pruning, in a total order: score, then what decides ties, then
// target and index.
struct Candidate {
  float score;
  float tie;
  std::uint32_t target;
  std::uint32_t group;
  bool operator<(const Candidate& other) const {
    if (score != other.score) return score < other.score;
    if (tie != other.tie) return tie < other.tie;
    if (target != other.target) return target < other.target;
    return group < other.group;
  }
};
using Candidates = std::vector<Candidate>;

// Kept ones among the groups [begin, end) of target t.
Candidates kept_groups(std::span<const PruneTarget> targets, std::uint32_t t, std::int64_t begin,
                       std::int64_t end, std::span<const std::vector<float>> scores,
                       const Selection& selection) {
  Candidates candidates;
  candidates.reserve(static_cast<std::size_t>(end - begin));
  const std::vector<std::uint8_t>& keep = targets[t].keep;
  for (auto g = static_cast<std::uint32_t>(begin); g < static_cast<std::uint32_t>(end); ++g) {
    const float tie = selection.ties.empty() ? 0.0f : selection.ties[t][g];
    if (keep[g]) candidates.push_back({scores[t][g], tie, t, g});
  }
  return candidates;
}

// Prunes the `count` least important of the candidates and removes them from the list.
void prune_least(std::span<PruneTarget> targets, Candidates& candidates, std::int64_t count) {
  count = std::clamp<std::int64_t>(count, 0, static_cast<std::int64_t>(candidates.size()));
  const auto end = candidates.begin() + count;
  std::nth_element(candidates.begin(), end, candidates.end());
  for (auto it = candidates.begin(); it != end; ++it) targets[it->target].keep[it->group] = 0;
  candidates.erase(candidates.begin(), end);
}

// The `count` most important ones are no candidates.
void protect_most(Candidates& candidates, std::int64_t count) {
  count = std::clamp<std::int64_t>(count, 0, static_cast<std::int64_t>(candidates.size()));
  const auto kept = candidates.end() - count;
  std::nth_element(candidates.begin(), kept, candidates.end());
  candidates.erase(kept, candidates.end());
}

void select_in_windows(std::span<PruneTarget> targets, std::uint32_t t,
                       std::span<const std::vector<float>> scores, const Selection& s) {
  const Pattern& window = targets[t].window;
  for (std::int64_t begin = 0; begin < targets[t].groups; begin += window.m) {
    Candidates own = kept_groups(targets, t, begin, begin + window.m, scores, s);
    prune_least(targets, own, std::ssize(own) - window.n);
  }
}

void select_in_layer(std::span<PruneTarget> targets, std::uint32_t t,
                     std::span<const std::vector<float>> scores, const Selection& s) {
  Candidates own = kept_groups(targets, t, 0, targets[t].groups, scores, s);
  prune_least(targets, own, quota(s.sparsity, targets[t].groups) - targets[t].pruned());
}

void select_globally(std::span<PruneTarget> targets, std::span<const std::vector<float>> scores,
                     const Selection& s) {
  std::int64_t groups = 0, pruned = 0;
  Candidates all;
  for (std::uint32_t t = 0; t < targets.size(); ++t) {
    const std::int64_t n = targets[t].groups;
    Candidates own = kept_groups(targets, t, 0, n, scores, s);
    prune_least(targets, own, quota(std::min(s.min_sparsity, s.sparsity), n) - targets[t].pruned());
    protect_most(own, n - quota(s.max_sparsity, n));
    all.insert(all.end(), own.begin(), own.end());
    groups += n;
    pruned += targets[t].pruned();
  }
  prune_least(targets, all, quota(s.sparsity, groups) - pruned);
}

}  // namespace

std::int64_t quota(double sparsity, std::int64_t size) {
  // The product of a decimal fraction and a size may lie a rounding error above the whole number
  // that is meant.
  const auto wanted =
      static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(size) - 1e-6));
  return std::clamp<std::int64_t>(wanted, 0, size);
}

void select(std::span<PruneTarget> targets, std::span<const std::vector<float>> scores,
            const Selection& selection) {
  if (selection.scope == PruneScope::global) return select_globally(targets, scores, selection);
  for (std::uint32_t t = 0; t < targets.size(); ++t) {
    if (targets[t].window.m > 0) {
      select_in_windows(targets, t, scores, selection);
    } else {
      select_in_layer(targets, t, scores, selection);
    }
  }
}

void select_below(std::span<PruneTarget> targets, std::span<const std::vector<float>> scores,
                  std::span<const double> limits) {
  for (std::size_t t = 0; t < targets.size(); ++t) {
    std::vector<std::uint8_t>& keep = targets[t].keep;
    for (std::size_t g = 0; g < keep.size(); ++g) {
      if (static_cast<double>(scores[t][g]) < limits[t]) keep[g] = 0;
    }
  }
}

}  // namespace pare
