#include "compression/quantize/grid_errors.h"

#include <algorithm>
#include <cstdint>

#include "framework/base/parallel.h"
#include "framework/kernels/simd.h"
#include "framework/tensor/step_vector.h"

namespace pare {
namespace {

using simd::Floats;

// Grids that share a load of values; their sums hide each other's latency.
constexpr std::size_t kTogether = 4;
// Some hundred additions a lane, and values that stay in the first-level cache for all grids.
constexpr std::int64_t kTile = 256 * simd::kLanes;
// x + kRound - kRound is x rounded to a whole number, for |x| < 2^22. Halves go to the even side,
// not up as in to_code(), which is as far.
constexpr float kRound = 0x1.8p23f;

// A grid in units of its step, the zero point removed from its codes.
struct Steps {
  float per_step, low, high;
};

// As many as fill groups of kTogether; those at the end are of no grid.
StepVector<Steps> steps_of(const Grid& grids) {
  const std::size_t count = grids.scales.size();
  StepVector<Steps> steps((count + kTogether - 1) / kTogether * kTogether, Steps{1, 0, 0});
  for (std::size_t k = 0; k < count; ++k) {
    const std::int32_t z = grids.zero_points[k];
    steps[k] = {static_cast<float>(1.0 / static_cast<double>(grids.scales[k])),
                static_cast<float>(grids.format.qmin() - z),
                static_cast<float>(grids.format.qmax() - z)};
  }
  return steps;
}

// (x / s - code)^2, added for kTogether grids.
inline void add_errors(Floats x, const Steps* grids, Floats* errors) {
#pragma GCC unroll 4
  for (std::size_t k = 0; k < kTogether; ++k) {
    const Floats per_step = simd::broadcast(grids[k].per_step);
    Floats code = simd::fma(x, per_step, simd::broadcast(kRound)) - kRound;
    code = code < grids[k].low ? simd::broadcast(grids[k].low) : code;
    code = code > grids[k].high ? simd::broadcast(grids[k].high) : code;
    const Floats error = simd::fma(x, per_step, -code);
    errors[k] = simd::fma(error, error, errors[k]);
  }
}

// The vectors of a tile that have values other than 0, in their order, and how many these are. 0 is
// on every grid, so that the others would add 0 to every sum: most of a pruned layer.
std::size_t keep_vectors(const float* x, std::int64_t count, Floats* kept) {
  std::size_t n = 0;
  for (std::int64_t i = 0; i < count; i += simd::kLanes) {
    kept[n] = simd::load(
        x + i, simd::first_lanes(std::min<std::int64_t>(simd::kLanes, count - i)));  // then zeros
    n += simd::any(kept[n] != 0) ? 1 : 0;
  }
  return n;
}

void sum_errors(std::span<const Floats> values, const Steps* grids, double* sums) {
  Floats errors[kTogether] = {};
  for (const Floats x : values) add_errors(x, grids, errors);
  for (std::size_t k = 0; k < kTogether; ++k) {
    double sum = 0;
    for (int lane = 0; lane < simd::kLanes; ++lane) sum += static_cast<double>(errors[k][lane]);
    sums[k] = sum;
  }
}

}  // namespace

std::vector<double> squared_errors(std::span<const float> values, const Grid& grids) {
  const StepVector<Steps> steps = steps_of(grids);
  const auto tiles = static_cast<std::size_t>((std::ssize(values) + kTile - 1) / kTile);
  StepVector<double> partial(tiles * steps.size(), 0);
  parallel_tiles(std::ssize(values), kTile, [&](std::int64_t begin, std::int64_t end) {
    double* sums = partial.data() + static_cast<std::size_t>(begin / kTile) * steps.size();
    Floats kept[kTile / simd::kLanes];
    const std::size_t count = keep_vectors(values.data() + begin, end - begin, kept);
    for (std::size_t k = 0; k < steps.size(); k += kTogether)
      sum_errors({kept, count}, &steps[k], sums + k);
  });
  std::vector<double> errors(grids.scales.size(), 0);
  for (std::size_t k = 0; k < errors.size(); ++k) {
    for (std::size_t tile = 0; tile < tiles; ++tile) errors[k] += partial[tile * steps.size() + k];
    errors[k] *= static_cast<double>(grids.scales[k]) * static_cast<double>(grids.scales[k]);
  }
  return errors;
}

}  // namespace pare
