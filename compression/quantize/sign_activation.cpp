#include "compression/quantize/sign_activation.h"

#include "compression/quantize/learned_range.h"
#include "compression/quantize/levels.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"

namespace pare {
namespace {

constexpr double kDecay = 0.99;
constexpr std::int64_t kTile = 1 << 13;

class SignActivation final : public Quantizer {
 public:
  SignActivation(const QuantizerConfig& config, QuantizerPlace place)
      : kind_(config.scale), place_(std::move(place)) {}

  Traits traits() const override {
    return {.has_zero = false, .idempotent = true, .deterministic = true};
  }
  void observe(const Tensor& x, const Pass& pass) override {
    const double mean = channel_magnitudes(x, -1)[0].mean;
    ++batches_;
    const double share = batches_ == 1     ? 1
                         : pass.training() ? 1 - kDecay
                                           : 1 / static_cast<double>(batches_);
    mean_ += share * (mean - mean_);
  }
  bool stateless() const override { return false; }
  bool ready() const override { return batches_ > 0; }

  Variable quantize(const Variable& x, const Pass&) override {
    const float alpha = grid().scales[0] / 2;
    Tensor y(x.shape());
    const float* from = x.value().data();
    float* to = y.mutable_data();
    parallel_tiles(y.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) to[i] = from[i] >= 0 ? alpha : -alpha;
    });
    return straight_through(x, std::move(y), {{.inside = {-1, 1}, .within = alpha}}, -1);
  }
  Grid grid() const override {
    PARE_ENSURE(ready());
    Grid grid{.format = {.bits = 1, .scheme = Scheme::affine, .scale = kind_},
              .scales = {},
              .zero_points = {}};
    append_scale(grid, mean_ == 0 ? 2 : 2 * mean_, grid.format.qmin(), place_.where);
    grid.offset = -grid.scales[0] / 2;
    return grid;
  }
  GridCodes codes(const Tensor& x) const override {
    const GridFormat format = grid().format;
    GridCodes codes;
    for (const float v : x.values())
      codes.push_back(static_cast<std::int16_t>(v >= 0 ? format.qmax() : format.qmin()));
    return codes;
  }
  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    visitor.real(prefix + "/mean", mean_);
    visitor.integer(prefix + "/batches", batches_);
  }

 private:
  ScaleKind kind_;
  QuantizerPlace place_;
  double mean_ = 0;  // of |x|
  std::int64_t batches_ = 0;
};

}  // namespace

std::unique_ptr<Quantizer> make_sign_activation(const QuantizerConfig& config,
                                                QuantizerPlace place) {
  return std::make_unique<SignActivation>(config, std::move(place));
}

}  // namespace pare
