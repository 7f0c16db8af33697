// Pools: shapes and closures; the arithmetic is in kernels/pool.h.
#include "framework/kernels/pool.h"

#include "framework/ops/ops.h"
#include "framework/ops/shapes.h"

namespace pare {
namespace {

ImageShape image_shape(const Variable& x, const Window& w) {
  PARE_ENSURE(x.shape().rank() == 4);
  return pool_shape({x.shape()[0], x.shape()[1], x.shape()[2], x.shape()[3], w});
}

Shape y_shape(const ImageShape& s) { return Shape{s.batch, s.out_h(), s.out_w(), s.channels}; }

}  // namespace

Variable max_pool2d(const Variable& x, const Window& window) {
  const ImageShape s = image_shape(x, window);
  PARE_ENSURE(window.taps() <= 65536);
  Tensor y(y_shape(s));
  Tensor taps = tap_memory(y.size());
  max_pool_forward(s, x.value().data(), y.mutable_data(), mutable_taps(taps));
  return record("max_pool2d", y, {x}, [=](const Tensor& dy, Gradients& gradients) {
    const auto [dx, beta] = gradients.slot(0);
    max_pool_backward(s, taps_of(taps), dy.data(), dx, beta);
  });
}

Variable average_pool2d(const Variable& x, const Window& window) {
  const ImageShape s = image_shape(x, window);
  Tensor y(y_shape(s));
  average_pool_forward(s, x.value().data(), y.mutable_data());
  return record("average_pool2d", y, {x}, [=](const Tensor& dy, Gradients& gradients) {
    const auto [dx, beta] = gradients.slot(0);
    average_pool_backward(s, dy.data(), dx, beta);
  });
}

Variable global_average_pool2d(const Variable& x) {
  Window whole;
  whole.kernel_h = x.shape()[1];
  whole.kernel_w = x.shape()[2];
  const ImageShape s = image_shape(x, whole);
  Tensor y(y_shape(s));
  average_pool_forward(s, x.value().data(), y.mutable_data());
  return record("global_average_pool2d", y, {x}, [=](const Tensor& dy, Gradients& gradients) {
    const auto [dx, beta] = gradients.slot(0);
    average_pool_backward(s, dy.data(), dx, beta);
  });
}

}  // namespace pare
