// Batch normalisation over the last axis (Ioffe and Szegedy 2015). With n = (x - mean) * r and r =
// 1 / sqrt(variance + epsilon): y = n * scale + shift, dscale = sum dy * n, dshift = sum dy, and
// where mean and variance are the batch's own, dx = scale * r * (dy - mean(dy) - n * mean(dy * n)).
#include "framework/kernels/batch_norm.h"

#include <cmath>
#include <vector>

#include "framework/kernels/columns.h"
#include "framework/ops/ops.h"

namespace pare {
namespace {

struct Extents {
  std::int64_t rows, channels;
};

Extents extents_of(const Variable& x, const Variable& scale, const Variable& shift) {
  const std::int64_t channels = x.shape()[-1];
  PARE_ENSURE(scale.shape() == Shape{channels} && shift.shape() == Shape{channels});
  PARE_ENSURE(x.value().size() > 0);
  return {x.value().size() / channels, channels};
}

// out[c] = f(c), on few elements.
template <class F>
Tensor per_channel(std::int64_t channels, const F& f) {
  Tensor tensor(Shape{channels});
  float* out = tensor.mutable_data();
  for (std::int64_t c = 0; c < channels; ++c) out[c] = static_cast<float>(f(c));
  return tensor;
}

Tensor inverse_deviation(const Tensor& variance, float epsilon) {
  return per_channel(variance.size(), [&](std::int64_t c) {
    return 1.0 / std::sqrt(static_cast<double>(variance.data()[c]) + epsilon);
  });
}

Tensor product(const Tensor& a, const Tensor& b) {
  return per_channel(a.size(), [&](std::int64_t c) { return a.data()[c] * b.data()[c]; });
}

// Sums that all gradients are made of: dy, and dy * (x - mean).
struct GradientSums {
  GradientSums(const Extents& e, const Tensor& dy, const Tensor& x, const Tensor& mean)
      : dy_sum(static_cast<std::size_t>(e.channels)), product_sum(dy_sum.size()) {
    column_products(dy.data(), x.data(), mean.data(), e.rows, e.channels, dy_sum.data(),
                    product_sum.data());
  }
  std::vector<double> dy_sum, product_sum;
};

// dscale (input 1) and dshift (input 2).
void give_parameter_gradients(const GradientSums& sums, const Tensor& inverse,
                              Gradients& gradients) {
  const auto add = [](GradientSlot slot, std::size_t c, double value) {
    slot.data[c] = static_cast<float>(value) + (slot.beta == 0 ? 0.0f : slot.data[c]);
  };
  if (gradients.wants(1)) {
    const GradientSlot slot = gradients.slot(1);
    for (std::size_t c = 0; c < sums.dy_sum.size(); ++c) {
      add(slot, c, sums.product_sum[c] * inverse.data()[c]);
    }
  }
  if (gradients.wants(2)) {
    const GradientSlot slot = gradients.slot(2);
    for (std::size_t c = 0; c < sums.dy_sum.size(); ++c) add(slot, c, sums.dy_sum[c]);
  }
}

void batch_moments(const Extents& e, const Tensor& x, Tensor& mean, Tensor& variance) {
  std::vector<double> sums(static_cast<std::size_t>(e.channels));
  const auto divided = [&](std::int64_t c) {
    return sums[static_cast<std::size_t>(c)] / static_cast<double>(e.rows);
  };
  column_sums(x.data(), e.rows, e.channels, sums.data());
  mean = per_channel(e.channels, divided);
  column_squares(x.data(), mean.data(), e.rows, e.channels, sums.data());
  variance = per_channel(e.channels, divided);
}

}  // namespace

Variable batch_norm_train(const Variable& x, const Variable& scale, const Variable& shift,
                          float epsilon, Tensor& mean, Tensor& variance) {
  const Extents e = extents_of(x, scale, shift);
  batch_moments(e, x.value(), mean, variance);
  const Tensor inverse = inverse_deviation(variance, epsilon);
  const Tensor factor = product(inverse, scale.value());
  Tensor y(x.shape());
  normalise(e.rows, e.channels, x.value().data(), mean.data(), factor.data(), shift.value().data(),
            y.mutable_data());

  const Tensor xv = x.value(), m = mean;
  return record("batch_norm_train", y, {x, scale, shift}, [=](const Tensor& dy, Gradients& g) {
    const GradientSums sums(e, dy, xv, m);
    give_parameter_gradients(sums, inverse, g);
    if (!g.wants(0)) return;
    const auto rows = static_cast<double>(e.rows);
    const auto mean_dy = per_channel(e.channels, [&](std::int64_t c) {
      return sums.dy_sum[static_cast<std::size_t>(c)] / rows;
    });
    const auto slope = per_channel(e.channels, [&](std::int64_t c) {
      const double r = inverse.data()[c];
      return sums.product_sum[static_cast<std::size_t>(c)] / rows * r * r;
    });
    const auto [dx, beta] = g.slot(0);
    normalised_gradient(e.rows, e.channels, dy.data(), xv.data(), m.data(), factor.data(),
                        mean_dy.data(), slope.data(), dx, beta);
  });
}

Variable batch_norm_fixed(const Variable& x, const Variable& scale, const Variable& shift,
                          float epsilon, const Tensor& mean, const Tensor& variance) {
  const Extents e = extents_of(x, scale, shift);
  PARE_ENSURE(mean.shape() == Shape{e.channels} && variance.shape() == Shape{e.channels});
  const Tensor inverse = inverse_deviation(variance, epsilon);
  const Tensor factor = product(inverse, scale.value());
  Tensor y(x.shape());
  normalise(e.rows, e.channels, x.value().data(), mean.data(), factor.data(), shift.value().data(),
            y.mutable_data());

  const Tensor xv = x.value(), m = mean;
  return record("batch_norm_fixed", y, {x, scale, shift}, [=](const Tensor& dy, Gradients& g) {
    if (g.wants(1) || g.wants(2)) {
      give_parameter_gradients(GradientSums(e, dy, xv, m), inverse, g);
    }
    if (!g.wants(0)) return;
    const auto [dx, beta] = g.slot(0);
    scale_gradient(e.rows, e.channels, dy.data(), factor.data(), dx, beta);
  });
}

}  // namespace pare
