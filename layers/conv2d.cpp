#include "layers/conv2d.h"

#include "framework/base/error.h"
#include "framework/config/config.h"
#include "framework/ops/fused.h"
#include "layers/inputs.h"
#include "layers/pool.h"

namespace pare {
namespace {

// The keys that both kinds have.
template <class Options>
void describe_common(config::Object& o, Options& options) {
  o.require("kernel");
  o.field("kernel", options.kernel, extent_type(), "extent of the filters");
  o.field("stride", options.stride, extent_type(), "step between windows");
  o.field("padding", options.padding, padding_type(), "zeros around the image");
  o.boolean("bias", options.bias, "adds a bias; null: unless a batch_norm follows directly");
  describe_init(o, options.init);
}

void expect_multiple(const char* what, std::int64_t value, std::int64_t groups) {
  if (value % groups == 0) return;
  throw ConfigError("expected " + std::string(what) + " to be a multiple of groups (" +
                    std::to_string(groups) + "), got " + std::to_string(value));
}

}  // namespace

void Conv2dOptions::describe(config::Object& o) {
  o.require("filters");
  o.integer("filters", filters, {.min = 1, .max = kLargestExtent}, "output channels");
  describe_common(o, *this);
  o.integer("groups", groups, {.min = 1, .max = kLargestExtent}, "groups of channels");
}

Conv2d::Conv2d(const Conv2dOptions& options) : Weighted(options.init), options_(options) {
  PARE_ENSURE(options.filters >= 1 && options.groups >= 1);
  options_.bias = options.bias.value_or(true);
}

Shape Conv2d::build(std::span<const Shape> inputs) {
  const Shape& x = image_input(inputs);
  const auto& [filters, kernel, stride, padding, groups, bias, init] = options_;
  expect_multiple("the input's channels", x[3], groups);
  expect_multiple("filters", filters, groups);
  window_ = resolve_window(kernel, stride, padding, x);
  const std::int64_t taps = kernel.h * kernel.w;
  allocate({filters, kernel.h, kernel.w, x[3] / groups}, 0, *bias,
           {.in = taps * (x[3] / groups), .out = taps * (filters / groups)});
  const Shape y{x[0], window_.out_h(x[1]), window_.out_w(x[2]), filters};
  pixels_ = y[1] * y[2];
  return y;
}

Variable Conv2d::forward(std::span<const Variable> inputs, const Pass& pass) {
  return conv2d(inputs[0], weight().value(pass), bias_value(pass), window_, options_.groups);
}

bool Conv2d::fuses_with(const Module& reader) const {
  return dynamic_cast<const MaxPool2d*>(&reader) != nullptr;
}

Variable Conv2d::forward_with(const Module& reader, std::span<const Variable> inputs,
                              const Pass& pass) {
  const Window& pool = dynamic_cast<const MaxPool2d&>(reader).window();
  return conv2d_max_pool2d(inputs[0], weight().value(pass), bias_value(pass), window_,
                           options_.groups, pool);
}

nlohmann::ordered_json Conv2d::to_json() const { return config::write(options_); }

void DepthwiseConv2dOptions::describe(config::Object& o) {
  describe_common(o, *this);
  o.integer("multiplier", multiplier, {.min = 1, .max = kLargestExtent},
            "output channels per input channel");
}

DepthwiseConv2d::DepthwiseConv2d(const DepthwiseConv2dOptions& options)
    : Weighted(options.init), options_(options) {
  PARE_ENSURE(options.multiplier >= 1);
  options_.bias = options.bias.value_or(true);
}

Shape DepthwiseConv2d::build(std::span<const Shape> inputs) {
  const Shape& x = image_input(inputs);
  const auto& [kernel, stride, padding, multiplier, bias, init] = options_;
  window_ = resolve_window(kernel, stride, padding, x);
  const std::int64_t taps = kernel.h * kernel.w;
  const std::int64_t channels = x[3] * multiplier;
  allocate({1, kernel.h, kernel.w, channels}, 3, *bias, {.in = taps, .out = taps * multiplier});
  const Shape y{x[0], window_.out_h(x[1]), window_.out_w(x[2]), channels};
  pixels_ = y[1] * y[2];
  return y;
}

Variable DepthwiseConv2d::forward(std::span<const Variable> inputs, const Pass& pass) {
  return depthwise_conv2d(inputs[0], weight().value(pass), bias_value(pass), window_);
}

nlohmann::ordered_json DepthwiseConv2d::to_json() const { return config::write(options_); }

}  // namespace pare
