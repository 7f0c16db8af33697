// Convolutions, grouped and depthwise: shapes and closures; the arithmetic is in kernels/conv2d.h
// and kernels/depthwise.h.
#include "framework/kernels/conv2d.h"

#include "framework/kernels/columns.h"
#include "framework/kernels/depthwise.h"
#include "framework/ops/fused.h"
#include "framework/ops/shapes.h"

namespace pare {
namespace {

ConvShape conv_shape(const Variable& x, const Window& window, std::int64_t out_channels,
                     std::int64_t groups, const Variable& bias) {
  PARE_ENSURE(x.shape().rank() == 4);
  ConvShape s;
  s.batch = x.shape()[0];
  s.height = x.shape()[1];
  s.width = x.shape()[2];
  s.channels = x.shape()[3];
  s.window = window;
  s.out_channels = out_channels;
  s.groups = groups;
  PARE_ENSURE(window.kernel_h >= 1 && window.kernel_w >= 1 && window.stride_h >= 1 &&
              window.stride_w >= 1);
  PARE_ENSURE(s.height + window.pad_top + window.pad_bottom >= window.kernel_h &&
              s.width + window.pad_left + window.pad_right >= window.kernel_w);
  PARE_ENSURE(!bias.defined() || bias.shape() == Shape{out_channels});
  return s;
}

Shape y_shape(const ConvShape& s) { return Shape{s.batch, s.out_h(), s.out_w(), s.out_channels}; }

// The same for a weight [out, kh, kw, C / groups], checked.
ConvShape grouped_shape(const Variable& x, const Variable& weight, const Variable& bias,
                        const Window& window, std::int64_t groups) {
  const ConvShape s = conv_shape(x, window, weight.shape()[0], groups, bias);
  PARE_ENSURE(groups >= 1 && s.channels % groups == 0 && s.out_channels % groups == 0);
  PARE_ENSURE((weight.shape() ==
               Shape{s.out_channels, window.kernel_h, window.kernel_w, s.group_channels()}));
  return s;
}

// Of the image (input 0) and the weight (input 1).
void give_gradients(const ConvShape& s, const Tensor& x, const Tensor& weight,
                    const OutputGradient& dy, Gradients& gradients) {
  if (gradients.wants(0)) {
    const auto [dx, beta] = gradients.slot(0);
    conv2d_input_gradient(s, dy, weight.data(), dx, beta);
  }
  if (gradients.wants(1)) {
    const auto [dw, beta] = gradients.slot(1);
    conv2d_weight_gradient(s, x.data(), dy, dw, beta);
  }
}

const float* data_or_null(const Variable& v) { return v.defined() ? v.value().data() : nullptr; }

}  // namespace

Variable conv2d(const Variable& x, const Variable& weight, const Variable& bias,
                const Window& window, std::int64_t groups) {
  const ConvShape s = grouped_shape(x, weight, bias, window, groups);
  Tensor y(y_shape(s));
  conv2d_forward(s, x.value().data(), weight.value().data(), data_or_null(bias), y.mutable_data());

  const Tensor xv = x.value(), wv = weight.value();
  return record("conv2d", y, {x, weight, bias}, [=](const Tensor& dy, Gradients& gradients) {
    give_gradients(s, xv, wv, dy.data(), gradients);
    if (gradients.wants(2)) {
      const auto [db, beta] = gradients.slot(2);
      bias_gradient(dy.data(), s.batch * s.out_pixels(), s.out_channels, db, beta);
    }
  });
}

Variable conv2d_max_pool2d(const Variable& x, const Variable& weight, const Variable& bias,
                           const Window& window, std::int64_t groups, const Window& pool) {
  const ConvShape s = grouped_shape(x, weight, bias, window, groups);
  const ImageShape p = pool_shape({s.batch, s.out_h(), s.out_w(), s.out_channels, pool});
  PARE_ENSURE(pool.taps() <= 65536);
  Tensor y(Shape{p.batch, p.out_h(), p.out_w(), p.channels});
  Tensor taps = tap_memory(y.size());
  conv2d_max_pool_forward(s, p, x.value().data(), weight.value().data(), data_or_null(bias),
                          y.mutable_data(), mutable_taps(taps));

  const Tensor xv = x.value(), wv = weight.value();
  return record("conv2d_max_pool2d", y, {x, weight, bias}, [=](const Tensor& dy, Gradients& g) {
    give_gradients(s, xv, wv, {dy.data(), p, taps_of(taps)}, g);
    if (g.wants(2)) {  // each output's gradient went to one pixel
      const auto [db, beta] = g.slot(2);
      bias_gradient(dy.data(), p.batch * p.out_pixels(), p.channels, db, beta);
    }
  });
}

Variable depthwise_conv2d(const Variable& x, const Variable& weight, const Variable& bias,
                          const Window& window) {
  const ConvShape s = conv_shape(x, window, weight.shape()[-1], 1, bias);
  PARE_ENSURE(s.out_channels % s.channels == 0);
  PARE_ENSURE((weight.shape() == Shape{1, window.kernel_h, window.kernel_w, s.out_channels}));

  Tensor y(y_shape(s));
  depthwise_forward(s, x.value().data(), weight.value().data(), data_or_null(bias),
                    y.mutable_data());

  const Tensor xv = x.value(), wv = weight.value();
  return record("depthwise_conv2d", y, {x, weight, bias},
                [=](const Tensor& dy, Gradients& gradients) {
                  if (gradients.wants(0)) {
                    const auto [dx, beta] = gradients.slot(0);
                    depthwise_input_gradient(s, dy.data(), wv.data(), dx, beta);
                  }
                  if (gradients.wants(1)) {
                    const auto [dw, beta] = gradients.slot(1);
                    depthwise_weight_gradient(s, xv.data(), dy.data(), dw, beta);
                  }
                  if (gradients.wants(2)) {
                    const auto [db, beta] = gradients.slot(2);
                    bias_gradient(dy.data(), s.batch * s.out_pixels(), s.out_channels, db, beta);
                  }
                });
}

}  // namespace pare
