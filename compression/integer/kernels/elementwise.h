// Addition, global average and depthwise convolution, prepared for kernels that treat 16 codes or
// 16 channels at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "compression/integer/kernels/aligned.h"
#include "compression/integer/kernels/lane_constants.h"
#include "compression/integer/program.h"

namespace pare::integer {

// One multiplier for all 16 lanes.
PanelScaling make_uniform_scaling(Multiplier m, Rounding rounding);

// (code - zero_point) << kAddLeftShift, scaled. The operand with the larger scale has a multiplier
// of exactly 1/2, for which nothing is rounded: `exact`, and only shifted to the `left`.
struct AddOperand {
  std::int32_t zero_point;
  bool exact;
  std::int32_t left;
  PanelScaling scaling;
};

// The same codes from one product of pairs, in 32 bits and without the rounding between:
//
//   code = (((a * A1 + b * B1) << 8) + ((a * A0 + b * B0) >> 7) + constant) >> shift
//
// with A1 * 2^15 + A0 the operand's share of the sum as a fixed-point number of up to 30 bits, and
// zero points and half a unit in the constant. 8 bits are what a code moves by when it becomes the
// high byte of a word. `exact` where that was tried, and found right, for all pairs of codes that
// the operands can have; it is for nearly every addition.
struct PairSum {
  bool exact = false;
  std::int32_t high = 0, low = 0;  // a's factor and b's in the low and the high 16 bits
  std::int32_t constant = 0;
  int shift = 0;

  static constexpr int kHighLeft = 8, kLowRight = 7;
};

// Where only one operand is exact, it is `a`: `swapped` says that it is the operation's second one.
struct AddJob {
  AddOperand a, b;
  bool swapped;
  PanelScaling scaling;
  CodeRange range;
  PairSum pairs;
};
AddJob make_add_job(const Program& program, const Add& op);

// The mean of each channel of an image whose bytes are code + input_offset.
struct AverageJob {
  std::int64_t pixels, channels;
  std::int32_t start;  // what zero point and offset of all pixels take away
  PanelScaling scaling;
  CodeRange range;
};
AverageJob make_average_job(const Program& program, const GlobalAverage& op,
                            std::int32_t input_offset);

// weights[panel][tap][16 channels], tap at image byte offsets[tap] behind a pixel's first one. The
// image has the output's channels: each input channel stands there as often as it is multiplied.
struct DepthwiseLayer {
  std::int64_t channels = 0;
  std::vector<std::int32_t> offsets;
  AlignedVector<std::int32_t> weights;  // -255 .. 255
  LaneConstants lanes;
};
// `row_bytes`: from one row of the padded image to the next.
DepthwiseLayer pack_depthwise(const Program& program, const DepthwiseConv2d& op,
                              std::int64_t row_bytes, std::int32_t input_offset);

}  // namespace pare::integer
