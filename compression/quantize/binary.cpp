#include "compression/quantize/binary.h"

#include <cmath>

#include "compression/quantize/levels.h"

namespace pare {
namespace {

class Binary final : public LevelQuantizer {
 public:
  Binary(const QuantizerConfig& config, QuantizerPlace place)
      : LevelQuantizer(config, std::move(place)), one_(config.scale == ScaleKind::one) {
    levels_.grid.levels = {-1, 1};
  }
  Traits traits() const override {
    return {.has_zero = false, .idempotent = true, .deterministic = true};
  }

 private:
  void add_channel(std::span<const float> values) override {
    double sum = 0;
    for (const float v : values) sum += std::fabs(static_cast<double>(v));
    add_scale(one_ || values.empty() ? 1 : sum / static_cast<double>(values.size()));
    levels_.borders.push_back(0);
  }
  Passing passing(std::size_t c, std::int64_t count) const override {
    if (one_) return {.inside = {-1, 1}};
    const float share = 1 / static_cast<float>(count);
    return {.inside = {-1, 1}, .within = share + levels_.grid.scales[c], .beyond = share};
  }

  bool one_;
};

}  // namespace

std::unique_ptr<Quantizer> make_binary(const QuantizerConfig& config, QuantizerPlace place) {
  return std::make_unique<Binary>(config, std::move(place));
}

}  // namespace pare
