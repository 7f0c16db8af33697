#include "layers/pool.h"

#include "framework/config/config.h"
#include "layers/inputs.h"

namespace pare {

void PoolOptions::describe(config::Object& o) {
  o.field("size", size, extent_type(), "extent of the windows");
  o.field("stride", stride, config::optional(extent_type()), "step between windows; null: size");
  o.field("padding", padding, padding_type(), "places around the image; they count for nothing");
}

Pool::Pool(const PoolOptions& options) : options_(options) {
  options_.stride = options.stride.value_or(options.size);
}

Shape Pool::build(std::span<const Shape> inputs) {
  const Shape& x = image_input(inputs);
  window_ = resolve_window(options_.size, *options_.stride, options_.padding, x);
  return {x[0], window_.out_h(x[1]), window_.out_w(x[2]), x[3]};
}

nlohmann::ordered_json Pool::to_json() const { return config::write(options_); }

Variable MaxPool2d::forward(std::span<const Variable> inputs, const Pass&) {
  return max_pool2d(inputs[0], window());
}

Variable AvgPool2d::forward(std::span<const Variable> inputs, const Pass&) {
  return average_pool2d(inputs[0], window());
}

Shape GlobalAvgPool2d::build(std::span<const Shape> inputs) {
  const Shape& x = image_input(inputs);
  return {x[0], 1, 1, x[3]};
}

Variable GlobalAvgPool2d::forward(std::span<const Variable> inputs, const Pass&) {
  return global_average_pool2d(inputs[0]);
}

}  // namespace pare
