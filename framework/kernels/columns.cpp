#include "framework/kernels/columns.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "framework/base/parallel.h"
#include "framework/kernels/prefetch.h"
#include "framework/kernels/simd.h"
#include "framework/tensor/step_vector.h"

namespace pare {
namespace {

using simd::Floats;

template <int sums>
using Terms = std::array<Floats, sums>;

// Adds term(row) of rows [begin, end) in lanes; four rows at a time hide the latency of an
// addition.
template <int sums, class Term>
Terms<sums> sum_lanes(std::int64_t begin, std::int64_t end, const Term& term) {
  Floats lanes[4][sums] = {};
  std::int64_t row = begin;
  for (; row + 4 <= end; row += 4) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const Terms<sums> terms = term(row + i);
      for (int k = 0; k < sums; ++k) lanes[i][k] += terms[k];
    }
  }
  for (; row < end; ++row) {
    const Terms<sums> terms = term(row);
    for (int k = 0; k < sums; ++k) lanes[0][k] += terms[k];
  }
  Terms<sums> total;
  for (int k = 0; k < sums; ++k) {
    total[k] = (lanes[0][k] + lanes[1][k]) + (lanes[2][k] + lanes[3][k]);
  }
  return total;
}

// out[k * columns + c] = sum over rows of what term(first column, mask of valid lanes)(row) gives
// as k-th vector.
template <int sums, class Term>
void reduce_rows(std::int64_t rows, std::int64_t columns, const Term& term, double* out) {
  const std::int64_t tile = std::max<std::int64_t>(64, 16384 / std::max<std::int64_t>(columns, 1));
  const std::int64_t tiles = (rows + tile - 1) / tile;
  StepVector<float> partial(static_cast<std::size_t>(tiles * sums * columns));
  parallel_for(tiles, [&](std::int64_t t) {
    const std::int64_t end = std::min((t + 1) * tile, rows);
    for (std::int64_t c = 0; c < columns; c += simd::kLanes) {
      const simd::Mask mask = simd::first_lanes(std::min<std::int64_t>(simd::kLanes, columns - c));
      const Terms<sums> total = sum_lanes<sums>(t * tile, end, term(c, mask));
      for (int k = 0; k < sums; ++k) {
        simd::store(partial.data() + (t * sums + k) * columns + c, total[k], mask);
      }
    }
  });
  const std::int64_t width = sums * columns;
  std::fill_n(out, width, 0.0);
  for (std::int64_t t = 0; t < tiles; ++t) {
    for (std::int64_t i = 0; i < width; ++i)
      out[i] += partial[static_cast<std::size_t>(t * width + i)];
  }
}

}  // namespace

void column_sums(const float* x, std::int64_t rows, std::int64_t columns, double* sums) {
  const auto term = [=](std::int64_t c, simd::Mask mask) {
    return [=](std::int64_t row) {
      prefetch(x, (row + kRowsAhead) * columns + c);
      return Terms<1>{simd::load(x + row * columns + c, mask)};
    };
  };
  reduce_rows<1>(rows, columns, term, sums);
}

void column_squares(const float* x, const float* mean, std::int64_t rows, std::int64_t columns,
                    double* squares) {
  const auto term = [=](std::int64_t c, simd::Mask mask) {
    const Floats m = simd::load(mean + c, mask);
    return [=](std::int64_t row) {
      prefetch(x, (row + kRowsAhead) * columns + c);
      const Floats d = simd::load(x + row * columns + c, mask) - m;
      return Terms<1>{d * d};
    };
  };
  reduce_rows<1>(rows, columns, term, squares);
}

void column_products(const float* dy, const float* x, const Normalisation& n, std::int64_t rows,
                     std::int64_t columns, double* sums, double* products) {
  StepVector<double> both(static_cast<std::size_t>(2 * columns));
  with_rectifier(n.rectifier, [&](auto rectifier) {
    const auto term = [=, &n](std::int64_t c, simd::Mask mask) {
      return [=, v = NormalisedVector(n, c, mask)](std::int64_t row) {
        prefetch(x, (row + kRowsAhead) * columns + c);
        prefetch(dy, (row + kRowsAhead) * columns + c);
        const Floats input = simd::load(x + row * columns + c, mask);
        const Floats d = v.template passed<decltype(rectifier)::value>(
            simd::load(dy + row * columns + c, mask), input);
        return Terms<2>{d, d * v.centred(input)};
      };
    };
    reduce_rows<2>(rows, columns, term, both.data());
  });
  std::copy_n(both.data(), columns, sums);
  std::copy_n(both.data() + columns, columns, products);
}

void bias_gradient(const float* dy, std::int64_t rows, std::int64_t columns, float* out,
                   float beta) {
  StepVector<double> sums(static_cast<std::size_t>(columns));
  column_sums(dy, rows, columns, sums.data());
  for (std::int64_t c = 0; c < columns; ++c) {
    const auto sum = static_cast<float>(sums[static_cast<std::size_t>(c)]);
    out[c] = beta == 0 ? sum : out[c] + sum;
  }
}

}  // namespace pare
