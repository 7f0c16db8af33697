#include "compression/quantize/binary.h"

#include <algorithm>
#include <cmath>

#include "compression/quantize/levels.h"
#include "compression/quantize/sign_activation.h"
#include "framework/base/parallel.h"
#include "framework/random.h"

namespace pare {
namespace {

constexpr std::int64_t kTile = 1 << 13;

// BinaryConnect, eq. 2: 1 with probability clip((w + 1) / 2, 0, 1), else -1. Element i draws the
// same number for any number of threads.
Tensor drawn_signs(const Tensor& w, const std::string& where, const Pass& pass) {
  const Random start(pass.seed, Stream::round, pass.step, name_hash(where));
  Tensor y(w.shape());
  float* to = y.mutable_data();
  parallel_tiles(w.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
    Random random = start;
    random.skip(static_cast<std::uint64_t>(begin));
    for (std::int64_t i = begin; i < end; ++i)
      to[i] = random.uniform() < std::clamp((w.data()[i] + 1) / 2, 0.0f, 1.0f) ? 1.0f : -1.0f;
  });
  return y;
}

class Binary final : public LevelQuantizer {
 public:
  Binary(const QuantizerConfig& config, QuantizerPlace place)
      : LevelQuantizer(config, std::move(place)),
        one_(config.scale == ScaleKind::one),
        draws_(config.rounding == RoundingMode::stochastic) {
    levels_.grid.levels = {-1, 1};
  }
  Traits traits() const override {
    return {.has_zero = false, .idempotent = true, .deterministic = !draws_};
  }
  Variable quantize(const Variable& x, const Pass& pass) override {
    if (!draws_ || !pass.training()) return LevelQuantizer::quantize(x, pass);
    std::vector<Passing> all;
    for (std::size_t c = 0; c < levels_.grid.scales.size(); ++c) all.push_back(passing(c, 1));
    return straight_through(x, drawn_signs(x.value(), place_.where, pass), std::move(all),
                            place_.axis);
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
  bool draws_;
};

}  // namespace

std::unique_ptr<Quantizer> make_binary(const QuantizerConfig& config, QuantizerPlace place) {
  if (place.use == QuantizerPlace::Use::activations)
    return make_sign_activation(config, std::move(place));
  return std::make_unique<Binary>(config, std::move(place));
}

}  // namespace pare
