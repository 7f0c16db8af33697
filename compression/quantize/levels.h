// Quantizers with few levels: the integers that a weight may become, and where one ends and the
// next begins. What binary, ternary, TTQ, logarithmic and additive powers of two share.
#pragma once

#include <functional>
#include <vector>

#include "compression/quantize/quantizer.h"

namespace pare {

// How much of dy reaches a value, per channel.
struct Passing {
  PassRange inside;  // low <= x <= high
  float within = 1, beyond = 0;
};
inline constexpr PassRange kEverything{-3.4e38f, 3.4e38f};

// y instead of x, a straight-through estimator: dx = dy * within or beyond.
Variable straight_through(const Variable& x, Tensor y, std::vector<Passing> passing, int axis);

// Levels in codes (grid.levels) with a scale per channel, and their borders.
struct Levels {
  Grid grid;
  // [channels][levels - 1], ascending, in units of x: a value's level is the number of borders that
  // are not above it.
  std::vector<float> borders;

  GridCodes codes(const Tensor& x, int axis) const;
  Tensor values(const Tensor& x, int axis) const;  // code * scale
};

// The middles between neighbours, in codes times `scale`.
void append_middles(Levels& levels, double scale);

// A quantizer that makes its levels of the tensor at hand.
class LevelQuantizer : public Quantizer {
 public:
  LevelQuantizer(const QuantizerConfig& config, QuantizerPlace place);

  void observe(const Tensor& x, const Pass& pass) override;
  bool stateless() const override { return true; }
  bool ready() const override { return !levels_.grid.scales.empty(); }
  Variable quantize(const Variable& x, const Pass& pass) override;
  Grid grid() const override { return levels_.grid; }
  GridCodes codes(const Tensor& x) const override { return levels_.codes(x, place_.axis); }
  void visit_state(const std::string& prefix, StateVisitor& visitor) override;

 protected:
  // Appends one channel: its scale and its borders. `values` are those that are not 0.
  virtual void add_channel(std::span<const float> values) = 0;
  virtual Passing passing(std::size_t channel, std::int64_t count) const;
  // One where there are no values.
  void add_scale(double scale);

  Levels levels_;
  QuantizerPlace place_;
};

// The levels of a grid, from -top to top, of which `magnitudes` (above 0, ascending) say one side.
GridCodes both_signs(const std::vector<std::int16_t>& magnitudes, bool zero);

}  // namespace pare
