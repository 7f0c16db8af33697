#include "framework/kernels/batch_norm.h"

#include <algorithm>
#include <type_traits>

#include "framework/base/parallel.h"
#include "framework/kernels/prefetch.h"
#include "framework/kernels/simd.h"

namespace pare {
namespace {

using simd::Floats;

// out[row, c] = f(offset of the vector in the matrix, mask) for all vectors of the matrix, with
// f = channel(c, mask) made once per tile and vector of channels.
template <class Channel>
void write_vectors(std::int64_t rows, std::int64_t channels, float* out, const Channel& channel) {
  const std::int64_t tile = std::max<std::int64_t>(1, 16384 / channels);
  parallel_tiles(rows, tile, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = 0; c < channels; c += simd::kLanes) {
      const auto lanes = std::min<std::int64_t>(simd::kLanes, channels - c);
      const simd::Mask mask = simd::first_lanes(lanes);
      const auto f = channel(c, mask);
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t i = row * channels + c;
        prefetch_to_write(out, i + kRowsAhead * channels);
        simd::store(out + i, f(i, mask), mask);
      }
    }
  });
}

// dx = beta * dx + gradient(vector, x, what passes of dy), `gradient` made by channel(c, mask).
template <class Channel>
void write_gradient(std::int64_t rows, std::int64_t channels, const float* dy, const float* x,
                    const Normalisation& n, float* dx, float beta, const Channel& channel) {
  const auto with = [&](auto rectifier, auto adds) {
    write_vectors(rows, channels, dx, [&](std::int64_t c, simd::Mask lanes) {
      const NormalisedVector v(n, c, lanes);
      const auto gradient = channel(c, lanes);
      return [=](std::int64_t i, simd::Mask mask) {
        prefetch(x, i + kRowsAhead * channels);
        prefetch(dy, i + kRowsAhead * channels);
        const Floats input = simd::load(x + i, mask);
        const Floats d =
            v.template passed<decltype(rectifier)::value>(simd::load(dy + i, mask), input);
        const Floats result = gradient(v, input, d);
        if constexpr (decltype(adds)::value) return simd::load(dx + i, mask) + result;
        return result;
      };
    });
  };
  with_rectifier(n.rectifier, [&](auto rectifier) {
    beta == 0 ? with(rectifier, std::false_type()) : with(rectifier, std::true_type());
  });
}

}  // namespace

void normalise(std::int64_t rows, std::int64_t channels, const float* x, const Normalisation& n,
               float* y) {
  with_rectifier(n.rectifier, [&](auto rectifier) {
    write_vectors(rows, channels, y, [&](std::int64_t c, simd::Mask lanes) {
      return [=, v = NormalisedVector(n, c, lanes)](std::int64_t i, simd::Mask mask) {
        prefetch(x, i + kRowsAhead * channels);
        return v.template output<decltype(rectifier)::value>(simd::load(x + i, mask));
      };
    });
  });
}

void scale_gradient(std::int64_t rows, std::int64_t channels, const float* dy, const float* x,
                    const Normalisation& n, float* dx, float beta) {
  write_gradient(rows, channels, dy, x, n, dx, beta, [](std::int64_t, simd::Mask) {
    return [](const NormalisedVector& v, Floats, Floats d) { return d * v.factor(); };
  });
}

void normalised_gradient(std::int64_t rows, std::int64_t channels, const float* dy, const float* x,
                         const Normalisation& n, const float* mean_dy, const float* slope,
                         float* dx, float beta) {
  write_gradient(rows, channels, dy, x, n, dx, beta, [=](std::int64_t c, simd::Mask mask) {
    const Floats mean = simd::load(mean_dy + c, mask), steepness = simd::load(slope + c, mask);
    return [=](const NormalisedVector& v, Floats input, Floats d) {
      return (d - mean - v.centred(input) * steepness) * v.factor();
    };
  });
}

}  // namespace pare
