// The keys of "kind": "prune", and the rules between them that can be checked without a network.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compression/prune/ranked.h"
#include "framework/schedule.h"
#include "layers/window.h"

namespace pare {

// What becomes zero together.
enum class PruneGranularity {
  element,
  neuron,   // an output of a dense layer, with all that makes it (target.h)
  filter,   // an output channel of a convolution, likewise
  channel,  // all weights that read one channel
  block,    // block_size in the matrix [outputs, inputs]
  n_m,      // single weights, but M - N of every M consecutive inputs
  residual_block,
};

// How the weights of a group make one score.
enum class PruneNorm {
  l1,                // mean absolute value
  l2,                // root of the mean square
  geometric_median,  // distance to the other groups of the layer
};

enum class PruneScope { layer, global };

// What decides between equal scores.
enum class Ties { latent, index, random };

// Everything that scores below is pruned: a number, or in JSON {"mean_abs": factor}.
struct Threshold {
  double value = 0;
  bool of_mean = false;  // a factor on the mean absolute value of what is ranked

  void describe(config::Object& o);  // the object
  static config::Type<std::optional<Threshold>> type();
};

// N of every M weights stay.
struct Pattern {
  std::int64_t n = 2, m = 4;

  static config::Type<std::optional<Pattern>> type();
};

// How a mask lets weights come back.
struct Regrow {
  // Evci et al. 2020, "Rigging the lottery", section 3.1.
  enum class Distribution { uniform, erk };

  std::int64_t every = 100;  // updates
  double until = 0.75;       // of the phase
  // rigl; filled in while reading
  std::optional<double> fraction;
  std::optional<Distribution> distribution;
  // dns; low and high are filled in while reading
  std::optional<double> low, high;
  std::optional<double> c;

  void describe(config::Object& o);
};

// Back to early weights after each of several prunings (lottery ticket).
struct Rewind {
  double to = 0;  // epoch of the first phase
  std::int64_t rounds = 5;
  double per_round = 0.2;  // of what is left

  // The update of a phase of so many in which a round (from 0) prunes and begins.
  std::int64_t begin(std::int64_t round, std::int64_t steps) const {
    return steps * round / rounds;
  }
  void describe(config::Object& o);
};

struct PruneConfig {
  std::string method = "magnitude";
  PruneGranularity granularity = PruneGranularity::element;
  std::optional<Extent> block_size;
  std::optional<Pattern> pattern;
  std::optional<PruneNorm> norm;  // of groups of several weights; none: l1
  Schedule sparsity;
  std::optional<Threshold> threshold;  // in place of `sparsity`
  Ranked score = Ranked::latent;
  Ties ties = Ties::latent;
  PruneScope scope = PruneScope::layer;
  std::optional<double> min_sparsity, max_sparsity;  // of each layer, with scope global
  std::vector<std::string> include, exclude;
  std::optional<bool> mask_gradient, mask_moments;  // default: the method's own
  std::optional<Regrow> regrow;
  std::optional<Rewind> rewind;
  std::optional<Schedule> factor;  // soft

  void describe(config::Object& o);
  // Whether `sparsity` says how much is pruned (otherwise a threshold, a pattern, rounds).
  bool follows_sparsity() const;
  // Filters, neurons, blocks: more than one weight each.
  bool groups_weights() const {
    return granularity != PruneGranularity::element && granularity != PruneGranularity::n_m;
  }
};

}  // namespace pare
