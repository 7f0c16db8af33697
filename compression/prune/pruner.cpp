#include "compression/prune/pruner.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "compression/prune/apoz.h"
#include "compression/prune/gradient.h"
#include "compression/prune/magnitude.h"
#include "compression/prune/movement.h"
#include "compression/prune/random_choice.h"
#include "compression/prune/rigl.h"
#include "compression/prune/soft.h"
#include "compression/prune/splicing.h"
#include "compression/prune/taylor.h"
#include "framework/base/error.h"

namespace pare {
namespace {

double round_sparsity(const Rewind& rewind, std::int64_t round) {
  return 1 - std::pow(1 - rewind.per_round, static_cast<double>(round + 1));
}

// The round that begins in this step, or -1.
std::int64_t round_of(const Rewind& rewind, const MethodStep& step) {
  for (std::int64_t round = 0; round < rewind.rounds; ++round) {
    if (step.step == rewind.begin(round, step.span.steps)) return round;
  }
  return -1;
}

// What decides between equal scores, one value per group of every target.
std::vector<std::vector<float>> tie_values(const PruneUpdate& update) {
  std::vector<std::vector<float>> ties;
  for (const PruneTarget& target : update.targets) {
    if (update.config.ties == Ties::latent) {
      ties.push_back(group_norms(target, latent_values(target), PruneNorm::l1));
    } else if (update.config.ties == Ties::random) {
      ties.push_back(random_values(target, update));
    }
  }
  return ties;
}

// A threshold as a limit for the scores of each target.
std::vector<double> limits(const PruneUpdate& update) {
  const Threshold& threshold = *update.config.threshold;
  std::vector<double> sums, sizes, limits;
  for (const PruneTarget& target : update.targets) {
    double sum = 0, size = 0;
    for (const Tensor& tensor : ranked_values(target, update.config.score)) {
      if (!tensor.defined()) continue;
      for (const float w : tensor.values()) sum += std::fabs(static_cast<double>(w));
      size += static_cast<double>(tensor.size());
    }
    sums.push_back(sum);
    sizes.push_back(size);
  }
  const double all = std::accumulate(sums.begin(), sums.end(), 0.0) /
                     std::accumulate(sizes.begin(), sizes.end(), 0.0);
  for (std::size_t t = 0; t < sums.size(); ++t) {
    const double mean = update.config.scope == PruneScope::global ? all : sums[t] / sizes[t];
    limits.push_back(threshold.value * (threshold.of_mean ? mean : 1));
  }
  return limits;
}

}  // namespace

bool Pruner::is_update(const PruneConfig& config, const MethodStep& step) const {
  if (config.rewind) return round_of(*config.rewind, step) >= 0;
  if (!config.follows_sparsity()) return step.step == 0;
  return config.sparsity.is_update(step.step, step.span);
}

double Pruner::sparsity(const PruneConfig& config, const MethodStep& step) const {
  if (config.rewind) return round_sparsity(*config.rewind, round_of(*config.rewind, step));
  return config.sparsity.at(step.step, step.span);
}

double Pruner::change(const PruneUpdate& update) {
  std::vector<std::vector<float>> scores;
  for (std::size_t t = 0; t < update.targets.size(); ++t) scores.push_back(score(update, t));
  if (update.config.threshold) {
    select_below(update.targets, scores, limits(update));
    return 0;
  }
  const std::vector<std::vector<float>> ties = tie_values(update);
  select(update.targets, scores,
         {.scope = update.config.scope,
          .sparsity = update.sparsity,
          .min_sparsity = update.config.min_sparsity.value_or(0),
          .max_sparsity = update.config.max_sparsity.value_or(1),
          .ties = ties});
  return update.sparsity;
}

std::span<const PrunerRow> pruner_table() {
  static const std::array<PrunerRow, 9> rows{
      magnitude_row(), random_row(),   gradient_row(), taylor_row(), movement_row(),
      apoz_row(),      splicing_row(), rigl_row(),     soft_row(),
  };
  return rows;
}

const PrunerRow& pruner_row(const std::string& name) {
  const auto rows = pruner_table();
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const PrunerRow& r) { return r.name == name; });
  PARE_ENSURE(row != rows.end());
  return *row;
}

void GroupState::start(std::span<const PruneTarget> targets) {
  targets_.clear();
  tensors_.clear();
  for (const PruneTarget& target : targets) {
    targets_.push_back(target.name);
    tensors_.push_back(Tensor::persistent({target.groups}));
  }
}

std::span<float> GroupState::values(std::size_t t) {
  return {tensors_[t].mutable_data(), static_cast<std::size_t>(tensors_[t].size())};
}

void GroupState::clear() {
  for (Tensor& tensor : tensors_) std::fill_n(tensor.mutable_data(), tensor.size(), 0.0f);
}

void GroupState::visit_state(const std::string& prefix, StateVisitor& visitor) {
  for (std::size_t t = 0; t < tensors_.size(); ++t)
    visitor.tensor(prefix + "/" + targets_[t] + "/" + name_, tensors_[t]);
}

}  // namespace pare
