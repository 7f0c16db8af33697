// Pools: shapes and closures; the arithmetic is in kernels/pool.h.
#include "framework/kernels/pool.h"

#include "framework/ops/ops.h"

namespace pare {
namespace {

// Every window must see a pixel, hence the pads below the kernel's extents.
ImageShape image_shape(const Variable& x, const Window& w) {
  PARE_ENSURE(x.shape().rank() == 4);
  PARE_ENSURE(w.stride_h >= 1 && w.stride_w >= 1);
  PARE_ENSURE(w.pad_top < w.kernel_h && w.pad_bottom < w.kernel_h && w.pad_left < w.kernel_w &&
              w.pad_right < w.kernel_w);
  const ImageShape s{x.shape()[0], x.shape()[1], x.shape()[2], x.shape()[3], w};
  PARE_ENSURE(s.height + w.pad_top + w.pad_bottom >= w.kernel_h &&
              s.width + w.pad_left + w.pad_right >= w.kernel_w);
  return s;
}

Shape y_shape(const ImageShape& s) { return Shape{s.batch, s.out_h(), s.out_w(), s.channels}; }

}  // namespace

Variable max_pool2d(const Variable& x, const Window& window) {
  const ImageShape s = image_shape(x, window);
  PARE_ENSURE(window.taps() <= 65536);
  Tensor y(y_shape(s));
  Tensor taps(Shape{(y.size() + 1) / 2});  // memory for one uint16 per element of y
  max_pool_forward(s, x.value().data(), y.mutable_data(),
                   reinterpret_cast<std::uint16_t*>(taps.mutable_data()));
  return record("max_pool2d", y, {x}, [=](const Tensor& dy, Gradients& gradients) {
    const auto [dx, beta] = gradients.slot(0);
    max_pool_backward(s, reinterpret_cast<const std::uint16_t*>(taps.data()), dy.data(), dx, beta);
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
