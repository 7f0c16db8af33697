#include "compression/prune/magnitude.h"

#include <cmath>

#include "framework/random.h"

namespace pare {

void score_magnitude(const PruneTarget&, const Tensor& weights, std::uint64_t, std::uint64_t,
                     std::span<float> scores) {
  const float* w = weights.data();
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = std::fabs(w[i]);
}

void score_random(const PruneTarget& target, const Tensor&, std::uint64_t seed,
                  std::uint64_t update, std::span<float> scores) {
  Random random(seed, Stream::prune, update, name_hash(target.parameter->path()));
  for (float& score : scores) score = random.uniform();
}

}  // namespace pare
