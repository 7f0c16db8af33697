#include "compression/quantize/powers.h"

#include <algorithm>
#include <cmath>

#include "compression/quantize/first_values.h"
#include "compression/quantize/learned_range.h"
#include "compression/quantize/levels.h"
#include "framework/base/error.h"

namespace pare {
namespace {

class Log2 final : public LevelQuantizer {
 public:
  Log2(const QuantizerConfig& config, QuantizerPlace place)
      : LevelQuantizer(config, std::move(place)),
        ratio_(config.base == LogBase::root ? std::sqrt(2.0) : 2.0) {
    levels_.grid.levels =
        both_signs(log2_magnitudes(config.bits, config.base == LogBase::root), true);
  }
  Traits traits() const override {
    return {.has_zero = true, .idempotent = true, .deterministic = true};
  }

 private:
  // Halfway in the exponent between two magnitudes; below the smallest one, as far again.
  void add_channel(std::span<const float> values) override {
    double largest = 0;
    for (const float v : values) largest = std::max(largest, std::fabs(static_cast<double>(v)));
    const GridCodes& levels = levels_.grid.levels;
    add_scale(largest / levels.back());
    const double scale = levels_.grid.scales.back();
    for (std::size_t k = 1; k < levels.size(); ++k) {
      const int a = levels[k - 1], b = levels[k];
      const double border = a == 0   ? b / std::sqrt(ratio_)
                            : b == 0 ? a / std::sqrt(ratio_)
                                     : std::copysign(std::sqrt(static_cast<double>(a) * b), a);
      levels_.borders.push_back(static_cast<float>(border * scale));
    }
  }

  double ratio_;
};

class Apot final : public Quantizer {
 public:
  Apot(const QuantizerConfig& config, QuantizerPlace place)
      : alpha_("apot.alpha", config, place), place_(std::move(place)) {
    grid_.format = config.format();
    grid_.levels = both_signs(apot_magnitudes(config.bits), true);
  }

  Traits traits() const override {
    return {.has_zero = true, .idempotent = true, .deterministic = true};
  }

  void observe(const Tensor& x, const Pass&) override {
    if (ready()) return;
    constexpr double kDeviations = 3;
    std::vector<double> bounds;
    for (const ChannelSums& sums : channel_sums(x, place_.axis))
      bounds.push_back(kDeviations * sums.root_mean_square_without_zeros());
    alpha_.set_sizes(bounds);
  }
  bool stateless() const override { return false; }
  bool ready() const override { return alpha_.ready(); }

  Variable quantize(const Variable& x, const Pass& pass) override {
    const Levels now = levels();
    StepVector<PassRange> inside;
    inside.reserve(now.grid.scales.size());
    for (const float scale : now.grid.scales) {
      const float bound = to_real(now.grid.levels.back(), 0, scale);
      inside.push_back({-bound, bound});
    }
    return with_learned_range(x, now.values(x.value(), place_.axis), alpha_.parameter().value(pass),
                              std::move(inside), place_.axis, SizeGradient::step, 1);
  }

  Grid grid() const override { return levels().grid; }
  GridCodes codes(const Tensor& x) const override { return levels().codes(x, place_.axis); }

  void visit_parameters(const ParameterVisitor& visit) override { visit(alpha_.parameter()); }
  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    alpha_.visit_state(prefix, visitor);
  }

 private:
  Levels levels() const {
    PARE_ENSURE(ready());
    Levels result{.grid = grid_, .borders = {}};
    for (std::int64_t c = 0; c < place_.channels; ++c) {
      append_scale(result.grid, alpha_[static_cast<std::size_t>(c)] / grid_.levels.back(), 0,
                   place_.where);
      append_middles(result, result.grid.scales.back());
    }
    return result;
  }

  LearnedSize alpha_;
  QuantizerPlace place_;
  Grid grid_;  // without scales
};

}  // namespace

std::vector<std::int16_t> log2_magnitudes(int bits, bool root) {
  const int count = (1 << (bits - 1)) - 1;
  std::vector<std::int16_t> magnitudes;
  for (int i = count - 1; i >= 0; --i) {
    const double level = root ? 127 * std::exp2(-0.5 * i) : std::exp2(count - 1 - i);
    magnitudes.push_back(static_cast<std::int16_t>(std::floor(level + 0.5)));
  }
  return magnitudes;
}

std::vector<std::int16_t> apot_magnitudes(int bits) {
  const int magnitude_bits = bits - 1, terms = magnitude_bits / 2;
  const bool odd = magnitude_bits % 2 != 0;
  // The exponents of each term: e_0 = i, i + n, then (behind that of the one-bit term) i + 2n.
  std::vector<std::vector<int>> exponents(static_cast<std::size_t>(terms));
  for (int i = 0; i < terms; ++i)
    exponents[static_cast<std::size_t>(i)] = {i, i + terms, i + 2 * terms + (odd ? 1 : 0)};
  if (odd) exponents.push_back({2 * terms});
  int smallest = 0;
  for (const std::vector<int>& term : exponents)
    smallest = std::max(smallest, *std::max_element(term.begin(), term.end()));
  std::vector<int> sums = {0};
  for (const std::vector<int>& term : exponents) {
    std::vector<int> more = sums;
    for (const int sum : sums) {
      for (const int e : term) more.push_back(sum + (1 << (smallest - e)));
    }
    sums = std::move(more);
  }
  std::sort(sums.begin(), sums.end());
  return {sums.begin() + 1, sums.end()};
}

std::unique_ptr<Quantizer> make_log2(const QuantizerConfig& config, QuantizerPlace place) {
  return std::make_unique<Log2>(config, std::move(place));
}
std::unique_ptr<Quantizer> make_apot(const QuantizerConfig& config, QuantizerPlace place) {
  return std::make_unique<Apot>(config, std::move(place));
}

}  // namespace pare
