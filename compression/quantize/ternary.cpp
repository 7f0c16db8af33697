#include "compression/quantize/ternary.h"

#include <cmath>
#include <limits>

#include "compression/quantize/levels.h"

namespace pare {
namespace {

constexpr double kThreshold = 0.7;  // of the mean

class Ternary final : public LevelQuantizer {
 public:
  Ternary(const QuantizerConfig& config, QuantizerPlace place)
      : LevelQuantizer(config, std::move(place)), one_(config.scale == ScaleKind::one) {
    levels_.grid.levels = {-1, 0, 1};
  }
  Traits traits() const override {
    return {.has_zero = true, .idempotent = true, .deterministic = true};
  }

 private:
  void add_channel(std::span<const float> values) override {
    double sum = 0, large = 0;
    std::int64_t count = 0;
    for (const float v : values) sum += std::fabs(static_cast<double>(v));
    const double threshold =
        values.empty() ? 0 : kThreshold * sum / static_cast<double>(values.size());
    for (const float v : values) {
      const double magnitude = std::fabs(static_cast<double>(v));
      const bool is_large = !(magnitude <= threshold);
      large += is_large ? magnitude : 0.0;
      count += is_large ? 1 : 0;
    }
    add_scale(one_ || count == 0 ? 1 : large / static_cast<double>(count));
    const auto border = static_cast<float>(threshold);
    levels_.borders.push_back(count == 0 ? -std::numeric_limits<float>::max() : -border);
    levels_.borders.push_back(count == 0 ? std::numeric_limits<float>::max()
                                         : std::nextafter(border, 1e38f));
  }

  bool one_;
};

}  // namespace

std::unique_ptr<Quantizer> make_ternary(const QuantizerConfig& config, QuantizerPlace place) {
  return std::make_unique<Ternary>(config, std::move(place));
}

}  // namespace pare
