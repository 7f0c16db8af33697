// Batch normalisation over the last axis (Ioffe and Szegedy 2015). With n = (x - mean) * r and r =
// 1 / sqrt(variance + epsilon): y = n * scale + shift, dscale = sum dy * n, dshift = sum dy, and
// where mean and variance are the batch's own, dx = scale * r * (dy - mean(dy) - n * mean(dy * n)).
#include "framework/kernels/batch_norm.h"

#include <cmath>

#include "framework/kernels/columns.h"
#include "framework/ops/ops.h"
#include "framework/tensor/step_vector.h"

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
  GradientSums(const Extents& e, const Tensor& dy, const Tensor& x, const Normalisation& n)
      : dy_sum(static_cast<std::size_t>(e.channels)), product_sum(dy_sum.size()) {
    column_products(dy.data(), x.data(), n, e.rows, e.channels, dy_sum.data(), product_sum.data());
  }
  StepVector<double> dy_sum, product_sum;
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
  StepVector<double> sums(static_cast<std::size_t>(e.channels));
  const auto divided = [&](std::int64_t c) {
    return sums[static_cast<std::size_t>(c)] / static_cast<double>(e.rows);
  };
  column_sums(x.data(), e.rows, e.channels, sums.data());
  mean = per_channel(e.channels, divided);
  column_squares(x.data(), mean.data(), e.rows, e.channels, sums.data());
  variance = per_channel(e.channels, divided);
}

// The tensors of a Normalisation, kept for the backward pass.
struct Statistics {
  Statistics(const Tensor& mean_of_batch, const Tensor& variance, const Variable& scale,
             const Variable& shift_of_node, float epsilon, Rectifier rectifier_behind)
      : mean(mean_of_batch),
        inverse(inverse_deviation(variance, epsilon)),
        factor(product(inverse, scale.value())),
        shift(shift_of_node.value()),
        rectifier(rectifier_behind) {}
  Normalisation view() const { return {mean.data(), factor.data(), shift.data(), rectifier}; }
  Tensor mean, inverse, factor, shift;
  Rectifier rectifier;
};

Tensor normalised(const Extents& e, const Variable& x, const Statistics& s) {
  Tensor y(x.shape());
  normalise(e.rows, e.channels, x.value().data(), s.view(), y.mutable_data());
  return y;
}

// The closure of a batch norm with its batch's own statistics.
auto train_gradient(const Extents& e, const Tensor& x, const Statistics& s) {
  return [=](const Tensor& dy, Gradients& g) {
    const GradientSums sums(e, dy, x, s.view());
    give_parameter_gradients(sums, s.inverse, g);
    if (!g.wants(0)) return;
    const auto rows = static_cast<double>(e.rows);
    const auto mean_dy = per_channel(e.channels, [&](std::int64_t c) {
      return sums.dy_sum[static_cast<std::size_t>(c)] / rows;
    });
    const auto slope = per_channel(e.channels, [&](std::int64_t c) {
      const double r = s.inverse.data()[c];
      return sums.product_sum[static_cast<std::size_t>(c)] / rows * r * r;
    });
    const auto [dx, beta] = g.slot(0);
    normalised_gradient(e.rows, e.channels, dy.data(), x.data(), s.view(), mean_dy.data(),
                        slope.data(), dx, beta);
  };
}

// With statistics that are constants of the graph.
auto fixed_gradient(const Extents& e, const Tensor& x, const Statistics& s) {
  return [=](const Tensor& dy, Gradients& g) {
    if (g.wants(1) || g.wants(2)) {
      give_parameter_gradients(GradientSums(e, dy, x, s.view()), s.inverse, g);
    }
    if (!g.wants(0)) return;
    const auto [dx, beta] = g.slot(0);
    scale_gradient(e.rows, e.channels, dy.data(), x.data(), s.view(), dx, beta);
  };
}

}  // namespace

Variable batch_norm_train(const Variable& x, const Variable& scale, const Variable& shift,
                          float epsilon, Tensor& mean, Tensor& variance, Rectifier behind) {
  const Extents e = extents_of(x, scale, shift);
  batch_moments(e, x.value(), mean, variance);
  const Statistics s(mean, variance, scale, shift, epsilon, behind);
  return record("batch_norm_train", normalised(e, x, s), {x, scale, shift},
                train_gradient(e, x.value(), s));
}

Variable batch_norm_fixed(const Variable& x, const Variable& scale, const Variable& shift,
                          float epsilon, const Tensor& mean, const Tensor& variance,
                          Rectifier behind) {
  const Extents e = extents_of(x, scale, shift);
  PARE_ENSURE(mean.shape() == Shape{e.channels} && variance.shape() == Shape{e.channels});
  const Statistics s(mean, variance, scale, shift, epsilon, behind);
  return record("batch_norm_fixed", normalised(e, x, s), {x, scale, shift},
                fixed_gradient(e, x.value(), s));
}

}  // namespace pare
