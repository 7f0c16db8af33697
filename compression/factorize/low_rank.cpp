#include "compression/factorize/low_rank.h"

#include <cmath>

#include "framework/base/error.h"
#include "framework/svd.h"

namespace pare {
namespace {

std::vector<double> doubles(const Tensor& tensor) {
  return {tensor.values().begin(), tensor.values().end()};
}

// [out, kh, kw, in] -> [in, out * kh * kw], row-major.
std::vector<double> unfolded_by_input(const Tensor& weight) {
  const std::int64_t in = weight.shape()[3], rest = weight.size() / in;
  std::vector<double> matrix(static_cast<std::size_t>(weight.size()));
  for (std::int64_t r = 0; r < rest; ++r) {
    for (std::int64_t i = 0; i < in; ++i) {
      matrix[static_cast<std::size_t>(i * rest + r)] = double{weight.data()[r * in + i]};
    }
  }
  return matrix;
}

// Vector k, times factors[k] where there are any, into row or column k of a tensor.
using Vectors = std::vector<std::vector<double>>;

Tensor rows(const Vectors& vectors, const Shape& shape) {
  Tensor result(shape);
  float* out = result.mutable_data();
  for (std::int64_t k = 0; k < shape[0]; ++k) {
    for (const double x : vectors[static_cast<std::size_t>(k)]) *out++ = static_cast<float>(x);
  }
  return result;
}

// shape [length of a vector, ..., number of them], extents between of 1.
Tensor columns(const Vectors& vectors, const Shape& shape) {
  Tensor result(shape);
  float* out = result.mutable_data();
  for (std::size_t i = 0; i < static_cast<std::size_t>(shape[0]); ++i) {
    for (std::size_t k = 0; k < static_cast<std::size_t>(shape[-1]); ++k) {
      *out++ = static_cast<float>(vectors[k][i]);
    }
  }
  return result;
}

// sum over o, i of left[p][o] weight[o, h, w, i] right[q][i].
Tensor projected(const Tensor& weight, const Vectors& left, std::int64_t p_count,
                 const Vectors& right, std::int64_t q_count) {
  const Shape& shape = weight.shape();
  const std::int64_t out = shape[0], taps = shape[1] * shape[2], in = shape[3];
  Tensor core(Shape{p_count, shape[1], shape[2], q_count});
  std::vector<double> narrowed(static_cast<std::size_t>(out * taps * q_count));
  for (std::int64_t r = 0; r < out * taps; ++r) {
    for (std::int64_t q = 0; q < q_count; ++q) {
      const std::vector<double>& vector = right[static_cast<std::size_t>(q)];
      double sum = 0;
      for (std::int64_t i = 0; i < in; ++i)
        sum += double{weight.data()[r * in + i]} * vector[static_cast<std::size_t>(i)];
      narrowed[static_cast<std::size_t>(r * q_count + q)] = sum;
    }
  }
  const std::int64_t row = taps * q_count;
  for (std::int64_t p = 0; p < p_count; ++p) {
    for (std::int64_t k = 0; k < row; ++k) {
      double sum = 0;
      for (std::int64_t o = 0; o < out; ++o)
        sum += left[static_cast<std::size_t>(p)][static_cast<std::size_t>(o)] *
               narrowed[static_cast<std::size_t>(o * row + k)];
      core.mutable_data()[p * row + k] = static_cast<float>(sum);
    }
  }
  return core;
}

}  // namespace

std::int64_t rank_by_energy(std::span<const double> values, double energy) {
  double all = 0, sum = 0;
  for (const double s : values) all += s * s;
  for (std::size_t r = 0; r < values.size(); ++r) {
    sum += values[r] * values[r];
    if (sum >= energy * all) return static_cast<std::int64_t>(r) + 1;
  }
  return std::ssize(values);
}

std::int64_t RankChoice::of(std::span<const double> values) const {
  return rank ? *rank : rank_by_energy(values, energy);
}

TwoFactors truncated_svd(const Tensor& weight, const RankChoice& choice) {
  const Shape& shape = weight.shape();
  Svd parts = svd(doubles(weight), shape[0], shape.size_from(1));
  const std::int64_t rank = choice.of(parts.values);
  PARE_ENSURE(rank >= 1 && rank <= std::ssize(parts.values));
  for (std::size_t k = 0; k < static_cast<std::size_t>(rank); ++k) {
    const double root = std::sqrt(parts.values[k]);
    for (double& x : parts.left[k]) x *= root;
    for (double& x : parts.right[k]) x *= root;
  }
  Shape second{shape[0]};
  for (int axis = 1; axis + 1 < shape.rank(); ++axis) second.append(1);
  second.append(rank);
  return {rows(parts.right, shape.with_batch(rank)), columns(parts.left, second)};
}

ThreeFactors tucker2(const Tensor& weight, const RankChoice& out, const RankChoice& in) {
  const Shape& shape = weight.shape();
  PARE_ENSURE(shape.rank() == 4);
  const Svd by_output = svd(doubles(weight), shape[0], shape.size_from(1));
  const Svd by_input = svd(unfolded_by_input(weight), shape[3], weight.size() / shape[3]);
  const std::int64_t p = out.of(by_output.values), q = in.of(by_input.values);
  PARE_ENSURE(p >= 1 && p <= std::ssize(by_output.values));
  PARE_ENSURE(q >= 1 && q <= std::ssize(by_input.values));
  return {.input = rows(by_input.left, Shape{q, 1, 1, shape[3]}),
          .core = projected(weight, by_output.left, p, by_input.left, q),
          .output = columns(by_output.left, Shape{shape[0], 1, 1, p})};
}

}  // namespace pare
