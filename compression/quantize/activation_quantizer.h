// Nodes that compression inserts behind others: the fake-quantizer of an edge, and the code average
// behind a pool.
#pragma once

#include <memory>

#include "compression/quantize/quantizer.h"
#include "framework/config/forward.h"
#include "layers/fusion.h"
#include "layers/module.h"

namespace pare {

// Names of inserted nodes: that of the node whose edge they stand on, and one of these.
inline constexpr std::string_view kQuantSuffix = "_quant";
inline constexpr std::string_view kCodesSuffix = "_codes";

// An edge's own grid. Observes in training and calibration; quantizes once it is on.
class ActivationQuantizer final : public Module, public CommutesWithMaxPool {
 public:
  using Options = ActivationQuantizerConfig;
  explicit ActivationQuantizer(const ActivationQuantizerConfig& config) : config_(config) {}

  std::string_view kind() const override { return "fake_quant"; }
  Shape build(std::span<const Shape> inputs) override;
  // Calibration observes and passes the real values on, so that a range does not depend on the
  // ranges before it.
  Variable forward(std::span<const Variable> inputs, const Pass& pass) override;
  // Equal steps, and only what a window lets through needs a code.
  bool commutes_with_max_pool() const override {
    return config_.quantizer == "uniform" && config_.rounding == RoundingMode::nearest;
  }
  void visit_parameters(const ParameterVisitor& visit) override {
    if (quantizer_) quantizer_->visit_parameters(visit);
  }
  void visit_buffers(const std::string& prefix, StateVisitor& visitor) override;
  nlohmann::ordered_json to_json() const override;

  const ActivationQuantizerConfig& config() const { return config_; }
  const Quantizer& quantizer() const { return *quantizer_; }
  // Whether what leaves the node in such a pass lies on its grid; otherwise it is what came in.
  bool quantizes(const Pass& pass) const;
  void switch_on(bool on) { on_ = on ? 1 : 0; }
  void freeze_observer(bool frozen) { frozen_ = frozen ? 1 : 0; }
  // lambda of what with_error_penalty() adds in training.
  void penalize(double lambda) { lambda_ = lambda; }

 private:
  ActivationQuantizerConfig config_;
  std::unique_ptr<Quantizer> quantizer_;
  std::int64_t on_ = 1;
  std::int64_t frozen_ = 0;
  double lambda_ = 0;
};

// Behind an average pool whose input lies on a grid: the output is the rounded average of the
// codes, on the same grid, exactly as the integer engine computes it. Where the owner of that grid
// does not quantize yet, there are no codes and the average stays as it is. The gradient passes
// straight through.
class AverageCodes final : public Module {
 public:
  // `source`: the quantizer that owns the grid of the pool's input. `taps`: taps inside the image,
  // per output pixel. Once the node stands in its network, before the first forward pass.
  void connect(const ActivationQuantizer& source, std::vector<std::int32_t> taps) {
    source_ = &source;
    taps_ = std::move(taps);
  }

  std::string_view kind() const override { return "average_codes"; }
  Shape build(std::span<const Shape> inputs) override { return inputs[0]; }
  Variable forward(std::span<const Variable> inputs, const Pass& pass) override;

 private:
  const ActivationQuantizer* source_ = nullptr;
  std::vector<std::int32_t> taps_;
};

// How many taps of each window lie inside an image of height x width; row-major over output pixels.
std::vector<std::int32_t> taps_inside(const Window& window, std::int64_t height,
                                      std::int64_t width);

}  // namespace pare
