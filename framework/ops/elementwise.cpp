// Activations, add, flatten and dropout. Where the derivative follows from the value, the closure
// keeps only that.
#include "framework/kernels/elementwise.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "framework/ops/fused.h"

namespace pare {

namespace {

// dx[i] = f(dy[i], i) for an op with one input: in dy's own memory where nobody else sees it. f
// reads its gradient as an argument, so that choosing between it and 0 is no branch around a load.
template <class F>
void map_gradient(Tensor& dy, Gradients& gradients, const F& f) {
  if (dy.unique()) {
    float* d = dy.mutable_data();
    write_elements(dy.size(), d, [=](std::int64_t i) { return f(d[i], i); });
    gradients.give(0, dy);
    return;
  }
  const float* d = dy.data();
  const auto [dx, beta] = gradients.slot(0);
  write_gradient(dy.size(), dx, beta, [=](std::int64_t i) { return f(d[i], i); });
}

}  // namespace

// max(x, 0), written so that a NaN stays one; y > 0 says the same as x > 0.
Variable relu(const Variable& x) {
  const float* in = x.value().data();
  Tensor y(x.shape());
  write_elements(y.size(), y.mutable_data(),
                 [in](std::int64_t i) { return in[i] <= 0 ? 0.0f : in[i]; });
  return record("relu", y, {x}, [y](Tensor& dy, Gradients& gradients) {
    map_gradient(dy, gradients,
                 [out = y.data()](float d, std::int64_t i) { return out[i] <= 0 ? 0.0f : d; });
  });
}

Variable relu6(const Variable& x) {
  const float* in = x.value().data();
  Tensor y(x.shape());
  write_elements(y.size(), y.mutable_data(), [in](std::int64_t i) {
    const float low = in[i] <= 0 ? 0.0f : in[i];
    return low >= 6 ? 6.0f : low;
  });
  return record("relu6", y, {x}, [y](Tensor& dy, Gradients& gradients) {
    map_gradient(dy, gradients, [out = y.data()](float d, std::int64_t i) {
      return ((out[i] <= 0) | (out[i] >= 6)) ? 0.0f : d;
    });
  });
}

Variable sigmoid(const Variable& x) {
  const float* in = x.value().data();
  Tensor y(x.shape());
  write_elements(y.size(), y.mutable_data(),
                 [in](std::int64_t i) { return 1.0f / (1.0f + std::exp(-in[i])); });
  return record("sigmoid", y, {x}, [y](Tensor& dy, Gradients& gradients) {
    map_gradient(dy, gradients, [out = y.data()](float d, std::int64_t i) {
      return d * out[i] * (1.0f - out[i]);
    });
  });
}

Variable tanh(const Variable& x) {
  const float* in = x.value().data();
  Tensor y(x.shape());
  write_elements(y.size(), y.mutable_data(), [in](std::int64_t i) { return std::tanh(in[i]); });
  return record("tanh", y, {x}, [y](Tensor& dy, Gradients& gradients) {
    map_gradient(dy, gradients, [out = y.data()](float d, std::int64_t i) {
      return d * (1.0f - out[i] * out[i]);
    });
  });
}

Variable add(const Variable& a, const Variable& b) {
  PARE_ENSURE(a.shape() == b.shape());
  const float *left = a.value().data(), *right = b.value().data();
  Tensor y(a.shape());
  write_elements(y.size(), y.mutable_data(), [=](std::int64_t i) { return left[i] + right[i]; });
  return record("add", y, {a, b}, [](const Tensor& dy, Gradients& gradients) {
    if (gradients.wants(0)) gradients.give(0, dy);
    if (gradients.wants(1)) gradients.give(1, dy);
  });
}

Variable weighted_sum(const Variable& a, double a_weight, const Variable& b, double b_weight) {
  PARE_ENSURE(a.shape() == b.shape());
  const auto left = static_cast<float>(a_weight), right = static_cast<float>(b_weight);
  const float *x = a.value().data(), *z = b.value().data();
  Tensor y(a.shape());
  write_elements(y.size(), y.mutable_data(),
                 [=](std::int64_t i) { return left * x[i] + right * z[i]; });
  return record("weighted_sum", y, {a, b}, [=](const Tensor& dy, Gradients& gradients) {
    for (const int i : {0, 1}) {
      if (!gradients.wants(i)) continue;
      const auto [dx, beta] = gradients.slot(i);
      const float weight = i == 0 ? left : right;
      for (std::int64_t k = 0; k < dy.size(); ++k) {
        dx[k] = weight * dy.data()[k] + (beta == 0 ? 0.0f : dx[k]);
      }
    }
  });
}

Variable add_relu(const Variable& a, const Variable& b) {
  PARE_ENSURE(a.shape() == b.shape());
  const float *left = a.value().data(), *right = b.value().data();
  Tensor y(a.shape());
  write_elements(y.size(), y.mutable_data(), [=](std::int64_t i) {
    const float sum = left[i] + right[i];
    return sum <= 0 ? 0.0f : sum;
  });
  return record("add_relu", y, {a, b}, [y](Tensor& dy, Gradients& gradients) {
    const bool own = dy.unique();
    Tensor passed = own ? std::exchange(dy, Tensor()) : Tensor(dy.shape());
    float* to = passed.mutable_data();
    const float *from = own ? to : dy.data(), *out = y.data();
    write_elements(passed.size(), to, [=](std::int64_t i) {
      const float d = from[i];
      return out[i] <= 0 ? 0.0f : d;
    });
    if (gradients.wants(0)) gradients.give(0, passed);
    if (gradients.wants(1)) gradients.give(1, passed);
  });
}

Variable flatten(const Variable& x) {
  PARE_ENSURE(x.shape().rank() >= 1);
  const Shape flat{x.shape()[0], x.shape().size_from(1)};
  return record("flatten", x.value().reshaped(flat), {x},
                [](const Tensor& dy, Gradients& gradients) { gradients.give(0, dy); });
}

Variable dropout(const Variable& x, float rate, std::uint64_t seed, std::uint64_t step,
                 std::uint32_t name) {
  PARE_ENSURE(rate >= 0 && rate < 1);
  Tensor factors(x.shape());
  float* out = factors.mutable_data();
  const float kept = 1.0f / (1.0f - rate);
  parallel_tiles(x.value().size(), kElementTile, [&](std::int64_t begin, std::int64_t end) {
    Random random(seed, Stream::dropout, step, name);
    random.skip(static_cast<std::uint64_t>(begin));
    for (std::int64_t i = begin; i < end; ++i) out[i] = random.uniform() < rate ? 0.0f : kept;
  });
  const float *in = x.value().data(), *factor = factors.data();
  Tensor y(x.shape());
  write_elements(y.size(), y.mutable_data(), [=](std::int64_t i) { return in[i] * factor[i]; });
  return record("dropout", y, {x}, [factors](Tensor& dy, Gradients& gradients) {
    map_gradient(dy, gradients, [f = factors.data()](float d, std::int64_t i) { return d * f[i]; });
  });
}

}  // namespace pare
