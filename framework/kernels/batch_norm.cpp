#include "framework/kernels/batch_norm.h"

#include <algorithm>

#include "framework/base/parallel.h"
#include "framework/kernels/simd.h"

namespace pare {
namespace {

using simd::Floats;

// out[row, c] = f(offset of the vector in the matrix, c, mask) for all vectors of the matrix.
template <class F>
void write_vectors(std::int64_t rows, std::int64_t channels, float* out, const F& f) {
  const std::int64_t tile = std::max<std::int64_t>(1, 16384 / channels);
  parallel_tiles(rows, tile, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t c = 0; c < channels; c += simd::kLanes) {
        const auto lanes = std::min<std::int64_t>(simd::kLanes, channels - c);
        const simd::Mask mask = simd::first_lanes(lanes);
        simd::store(out + row * channels + c, f(row * channels + c, c, mask), mask);
      }
    }
  });
}

// out = beta * out + f(...)
template <class F>
void write_gradient_vectors(std::int64_t rows, std::int64_t channels, float* out, float beta,
                            const F& f) {
  if (beta == 0) return write_vectors(rows, channels, out, f);
  write_vectors(rows, channels, out, [&](std::int64_t i, std::int64_t c, simd::Mask mask) {
    return simd::load(out + i, mask) + f(i, c, mask);
  });
}

}  // namespace

void normalise(std::int64_t rows, std::int64_t channels, const float* x, const float* mean,
               const float* factor, const float* shift, float* y) {
  write_vectors(rows, channels, y, [=](std::int64_t i, std::int64_t c, simd::Mask mask) {
    const Floats centred = simd::load(x + i, mask) - simd::load(mean + c, mask);
    return centred * simd::load(factor + c, mask) + simd::load(shift + c, mask);
  });
}

void scale_gradient(std::int64_t rows, std::int64_t channels, const float* dy, const float* factor,
                    float* dx, float beta) {
  write_gradient_vectors(rows, channels, dx, beta,
                         [=](std::int64_t i, std::int64_t c, simd::Mask mask) {
                           return simd::load(dy + i, mask) * simd::load(factor + c, mask);
                         });
}

void normalised_gradient(std::int64_t rows, std::int64_t channels, const float* dy, const float* x,
                         const float* mean, const float* factor, const float* mean_dy,
                         const float* slope, float* dx, float beta) {
  write_gradient_vectors(
      rows, channels, dx, beta, [=](std::int64_t i, std::int64_t c, simd::Mask mask) {
        const Floats centred = simd::load(x + i, mask) - simd::load(mean + c, mask);
        const Floats inner = simd::load(dy + i, mask) - simd::load(mean_dy + c, mask) -
                             centred * simd::load(slope + c, mask);
        return inner * simd::load(factor + c, mask);
      });
}

}  // namespace pare
