// The integer program: what a trained network is lowered to, what model.pare stores, what the
// engine runs.
//
// Plain data. Real values appear only as the bit patterns of float32 scales, for exporters and
// readers; no operation needs them. real = (code - zero_point) * scale everywhere. One image at a
// time: shapes have no batch dimension, images are height x width x channels (row-major, channels
// last), vectors are 1 x 1 x n.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "compression/integer/arithmetic.h"

namespace pare::integer {

// An edge of the program. Codes are int8. [code_min, code_max] is the range that its producer
// clamps to (a fused relu raises code_min to the zero point), which the overflow proof of its
// readers relies on.
struct Tensor {
  std::string name;  // the network's node that this edge leaves
  std::int32_t height = 1;
  std::int32_t width = 1;
  std::int32_t channels = 1;
  std::int32_t zero_point = 0;
  std::int32_t code_min = -128;
  std::int32_t code_max = 127;
  std::uint32_t scale_bits = 0;  // float32
  std::int64_t size() const { return std::int64_t{height} * width * channels; }
  bool operator==(const Tensor&) const = default;
};

// Weight codes. Symmetric b bits: codes in -2^(b-1) .. 2^(b-1)-1 (never -128 at 8 bits), zero point
// 0. Affine b bits: codes in 128-2^b .. 127 with a zero point in that range.
struct Weights {
  std::int32_t bits = 8;  // 1 .. 8, what a packed code takes
  bool affine = false;
  std::vector<std::int8_t> codes;  // layout: see the operation
  std::vector<std::int32_t>
      zero_points;  // empty where symmetric; else one, or one per output channel
  std::vector<std::uint32_t> scale_bits;  // float32; one, or one per output channel
  bool operator==(const Weights&) const = default;
};

// From sums of products to codes, per output channel:
//   acc = bias[c] + (negate[c] ? -1 : 1) * sum * 2^fraction_bits;
//   code = requantize(acc, multipliers[c], ...)
// Where weights have few bits, the unit of sums, input scale * weight scale, is coarse; the bias
// then has some bits behind the point.
struct Channels {
  std::int32_t fraction_bits = 0;       // 0 .. most_fraction_bits of the weights
  std::vector<std::int32_t> bias;       // at scale (input scale * weight scale / 2^fraction_bits)
  std::vector<Multiplier> multipliers;  // one per output channel
  std::vector<std::uint8_t>
      negate;  // empty where no channel is negated, else 0 or 1 per output channel
  bool operator==(const Channels&) const = default;
};

// A sliding window. Taps outside the image contribute nothing (that is: real zero).
struct Window {
  std::int32_t kernel_h = 1, kernel_w = 1;
  std::int32_t stride_h = 1, stride_w = 1;
  std::int32_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  bool operator==(const Window&) const = default;
};

// Weights [out][kernel_h][kernel_w][in / groups]; output channel c reads the input channels of
// group c / (out / groups).
struct Conv2d {
  std::int32_t input = 0, output = 0;
  Window window;
  std::int32_t groups = 1;
  Weights weights;
  Channels channels;
  bool operator==(const Conv2d&) const = default;
};

// Weights [kernel_h][kernel_w][out], out = in * multiplier; output channel c reads input channel c
// / multiplier.
struct DepthwiseConv2d {
  std::int32_t input = 0, output = 0;
  Window window;
  Weights weights;
  Channels channels;
  bool operator==(const DepthwiseConv2d&) const = default;
};

// Weights [out][in], the input read in memory order.
struct Dense {
  std::int32_t input = 0, output = 0;
  Weights weights;
  Channels channels;
  bool operator==(const Dense&) const = default;
};

// Input and output share scale and zero point in the two pools, in Clamp and in Reshape.
struct MaxPool2d {
  std::int32_t input = 0, output = 0;
  Window window;
  bool operator==(const MaxPool2d&) const = default;
};

// average_codes over the taps inside the image, then clamp.
struct AveragePool2d {
  std::int32_t input = 0, output = 0;
  Window window;
  bool operator==(const AveragePool2d&) const = default;
};

// code = requantize(sum over pixels of (x - z_in)); the multiplier holds 1 / (height * width) too,
// so that its value may be below 2^30.
struct GlobalAverage {
  std::int32_t input = 0, output = 0;
  Multiplier multiplier;
  bool operator==(const GlobalAverage&) const = default;
};

// a' = scale((x_a - z_a) << kAddLeftShift, scale_a), b' likewise; code = requantize(a' + b',
// scale_output).
struct Add {
  std::int32_t a = 0, b = 0, output = 0;
  Multiplier scale_a, scale_b, scale_output;
  bool operator==(const Add&) const = default;
};

// code = clamp(x, code_min, code_max of the output): a relu that no group could take in.
struct Clamp {
  std::int32_t input = 0, output = 0;
  bool operator==(const Clamp&) const = default;
};

// The same codes under another shape (flatten). Moves nothing.
struct Reshape {
  std::int32_t input = 0, output = 0;
  bool operator==(const Reshape&) const = default;
};

using Operation = std::variant<Conv2d, DepthwiseConv2d, Dense, MaxPool2d, AveragePool2d,
                               GlobalAverage, Add, Clamp, Reshape>;

struct Program {
  std::string name;
  Rounding rounding = Rounding::twice;
  std::int32_t input = 0;  // tensor
  std::int32_t output =
      0;  // tensor; the label of an image is the smallest index among its equal maxima
  std::vector<Tensor> tensors;
  std::vector<Operation> operations;  // in an order in which they can run
  // Pixel value -> code, one table per input channel; empty where the data were not bytes.
  std::vector<std::array<std::int8_t, 256>> pixel_codes;
  bool operator==(const Program&) const = default;
};

}  // namespace pare::integer
