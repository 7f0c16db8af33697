#include "compression/quantize/activation_quantizer.h"

#include <algorithm>
#include <cmath>

#include "compression/integer/arithmetic.h"
#include "compression/quantize/error_penalty.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/config/config.h"
#include "layers/inputs.h"

namespace pare {

nlohmann::ordered_json ActivationQuantizer::to_json() const { return config::write(config_); }

Shape ActivationQuantizer::build(std::span<const Shape> inputs) {
  const Shape& x = one_input(inputs);
  std::string edge = name();
  if (edge.ends_with(kQuantSuffix)) edge.resize(edge.size() - kQuantSuffix.size());
  quantizer_ =
      make_quantizer(config_, QuantizerPlace::Use::activations, std::move(edge), x, x.rank() - 1);
  return x;
}

Variable ActivationQuantizer::forward(std::span<const Variable> inputs, const Pass& pass) {
  if (pass.observing() && !frozen_) quantizer_->observe(inputs[0].value(), pass);
  if (!quantizes(pass)) return inputs[0];
  const Variable quantized = quantizer_->quantize(inputs[0], pass);
  if (lambda_ == 0 || !pass.training()) return quantized;
  return with_error_penalty(quantized, inputs[0],
                            lambda_ / static_cast<double>(inputs[0].shape()[0]));
}

bool ActivationQuantizer::quantizes(const Pass& pass) const {
  return on_ != 0 && quantizer_->ready() && pass.mode != Pass::Mode::calibrate;
}

void ActivationQuantizer::visit_buffers(const std::string& prefix, StateVisitor& visitor) {
  quantizer_->visit_state(prefix, visitor);
  visitor.integer(prefix + "/on", on_);
  visitor.integer(prefix + "/frozen", frozen_);
}

Variable AverageCodes::forward(std::span<const Variable> inputs, const Pass& pass) {
  PARE_ENSURE(source_ != nullptr);
  if (!source_->quantizes(pass)) return inputs[0];
  const Grid grid = source_->quantizer().grid();
  const double r = 1.0 / static_cast<double>(grid.scales[0]);
  const std::int32_t z = grid.zero_points[0];
  const Tensor& x = inputs[0].value();
  const std::int64_t channels = x.shape()[-1];
  const std::int64_t pixels = x.shape()[1] * x.shape()[2];
  Tensor y(x.shape());
  float* out = y.mutable_data();
  parallel_for(x.shape()[0] * pixels, [&](std::int64_t p) {
    const std::int32_t taps = taps_[static_cast<std::size_t>(p % pixels)];
    for (std::int64_t i = p * channels; i < (p + 1) * channels; ++i) {
      // x is the average of values on the grid, so the sum of their codes is a whole number:
      // rounding recovers it.
      const auto sum =
          static_cast<std::int32_t>(std::floor(static_cast<double>(x.data()[i]) * r * taps + 0.5)) +
          z * taps;
      out[i] = to_real(integer::average_codes(sum, taps), z, grid.scales[0]);
    }
  });
  return record("average_codes", std::move(y), {inputs[0]},
                [](const Tensor& dy, Gradients& gradients) { gradients.give(0, dy); });
}

std::vector<std::int32_t> taps_inside(const Window& w, std::int64_t height, std::int64_t width) {
  const auto inside = [](std::int64_t start, std::int64_t kernel, std::int64_t extent) {
    return std::min(start + kernel, extent) - std::max<std::int64_t>(start, 0);
  };
  std::vector<std::int32_t> taps;
  for (std::int64_t y = 0; y < w.out_h(height); ++y) {
    for (std::int64_t x = 0; x < w.out_w(width); ++x) {
      taps.push_back(
          static_cast<std::int32_t>(inside(y * w.stride_h - w.pad_top, w.kernel_h, height) *
                                    inside(x * w.stride_w - w.pad_left, w.kernel_w, width)));
    }
  }
  return taps;
}

}  // namespace pare
