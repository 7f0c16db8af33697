#include <algorithm>
#include <cmath>

#include "compression/quantize/learned_range.h"
#include "compression/quantize/levels.h"
#include "compression/quantize/ternary.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"

namespace pare {
namespace {

constexpr double kThreshold = 0.05;  // of the largest
constexpr double kTop = 127;
constexpr std::int64_t kTile = 1 << 14;

QuantizerPlace with_two(QuantizerPlace place) {
  place.channels = 2;
  return place;
}

class Ttq final : public Quantizer {
 public:
  Ttq(const QuantizerConfig& config, const QuantizerPlace& place)
      : format_(config.format()), scales_("ttq.scales", config, with_two(place)), place_(place) {}

  Traits traits() const override {
    return {.has_zero = true, .idempotent = false, .deterministic = true};
  }

  // The threshold is that of the tensor at hand; the scales begin at the means of what lies beyond.
  void observe(const Tensor& x, const Pass&) override {
    threshold_ = kThreshold * channel_magnitudes(x, -1)[0].largest;
    if (scales_.ready()) return;
    double sums[2] = {0, 0}, counts[2] = {0, 0};
    for (const float v : x.values()) {
      if (std::fabs(static_cast<double>(v)) <= threshold_) continue;
      sums[v > 0 ? 0 : 1] += std::fabs(static_cast<double>(v));
      ++counts[v > 0 ? 0 : 1];
    }
    scales_.set_sizes({sums[0] / std::max(counts[0], 1.0), sums[1] / std::max(counts[1], 1.0)});
  }
  bool stateless() const override { return true; }
  bool ready() const override { return scales_.ready(); }

  Variable quantize(const Variable& x, const Pass& pass) override {
    const Levels now = levels();
    Tensor y = now.values(x.value(), -1);
    const auto border = static_cast<float>(threshold_);
    return record(
        "ttq_weights", std::move(y), {x, scales_.parameter().value(pass)},
        [in = x.value(), border, positive = static_cast<float>(scales_[0]),
         negative = static_cast<float>(scales_[1])](const Tensor& dy, Gradients& gradients) {
          const auto tiles = static_cast<std::size_t>((in.size() + kTile - 1) / kTile);
          std::vector<double> up(tiles, 0), down(tiles, 0);
          const GradientSlot dx = gradients.wants(0) ? gradients.slot(0) : GradientSlot{nullptr, 0};
          parallel_tiles(in.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
            const auto tile = static_cast<std::size_t>(begin / kTile);
            for (std::int64_t i = begin; i < end; ++i) {
              const float v = in.data()[i], g = dy.data()[i];
              up[tile] += v > border ? static_cast<double>(g) : 0.0;
              down[tile] += v < -border ? static_cast<double>(g) : 0.0;
              if (dx.data == nullptr) continue;
              const float passed = g * (v > border ? positive : v < -border ? negative : 1.0f);
              dx.data[i] = dx.beta == 0 ? passed : dx.data[i] + passed;
            }
          });
          if (!gradients.wants(1)) return;
          double sums[2] = {0, 0};
          for (std::size_t t = 0; t < tiles; ++t) {
            sums[0] += up[t];
            sums[1] -= down[t];
          }
          const GradientSlot ds = gradients.slot(1);
          for (int k = 0; k < 2; ++k) {
            ds.data[k] = (ds.beta == 0 ? 0.0f : ds.data[k]) + static_cast<float>(sums[k]);
          }
        });
  }

  Grid grid() const override { return levels().grid; }
  GridCodes codes(const Tensor& x) const override { return levels().codes(x, -1); }

  void visit_parameters(const ParameterVisitor& visit) override { visit(scales_.parameter()); }
  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    scales_.visit_state(prefix, visitor);
    visitor.real(prefix + "/threshold", threshold_);
  }

 private:
  Levels levels() const {
    PARE_ENSURE(ready());
    Levels result;
    result.grid.format = format_;
    const double step = std::max(scales_[0], scales_[1]) / kTop;
    append_scale(result.grid, step, 0, place_.where);
    const double used = result.grid.scales[0];
    const auto whole = [&](double scale) {
      return static_cast<std::int16_t>(std::clamp(std::floor(scale / used + 0.5), 1.0, kTop));
    };
    result.grid.levels = {static_cast<std::int16_t>(-whole(scales_[1])), 0, whole(scales_[0])};
    const auto border = static_cast<float>(threshold_);
    result.borders = {-border, std::nextafter(border, 1e38f)};
    return result;
  }

  GridFormat format_;
  LearnedSize scales_;
  QuantizerPlace place_;
  double threshold_ = 0;
};

}  // namespace

std::unique_ptr<Quantizer> make_ttq(const QuantizerConfig& config, QuantizerPlace place) {
  return std::make_unique<Ttq>(config, place);
}

}  // namespace pare
