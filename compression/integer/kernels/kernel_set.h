// The kernels of one instruction set, and which of them this processor can run.
//
// All sets give the same codes. They differ in how input bytes are stored (VNNI multiplies unsigned
// by signed bytes, NEON signed by signed) and in how many accumulators their registers hold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compression/integer/kernels/bit_layer.h"
#include "compression/integer/kernels/elementwise.h"
#include "compression/integer/kernels/packed_layer.h"
#include "compression/integer/kernels/sparse_layer.h"
#include "compression/integer/kernels/winograd_layer.h"

namespace pare::integer {

// Copies an image of codes into the form that kernels multiply: input_offset added, padding filled
// with the zero point. All widths in bytes, that is columns * channels. Up to kImageSlack bytes
// behind the image are written, and the stacked image behind these.
struct ImageJob {
  const std::int8_t* codes;
  std::int64_t height, width;
  std::int64_t top, bottom, left, right;  // padding
  std::int32_t zero_point;
  std::uint8_t* image;
  std::int64_t stack = 0;   // where the stacked image begins (packed_layer.h); 0: there is none
  std::int64_t repeat = 1;  // each byte of the padded image stands there so often, one by one
  std::int16_t* words = nullptr;  // the same in 16 bits, where not null
};

// rows[i]: where the first tap of output pixel i lies in the image.
struct MultiplyJob {
  const std::uint8_t* image;
  const std::int32_t* rows;
  std::int64_t count;  // of rows
  CodeRange range;
  std::int8_t* out;
  std::int64_t stride;    // codes from one output pixel to the next
  std::int64_t step = 0;  // bytes of the image from an output pixel to its right neighbour; 0: none
  const std::int16_t* words = nullptr;  // the image in 16 bits, for one row
  bool backwards = false;               // large layers: last tile first (scratch.h)
};

// Null where products of bits are no faster. The image and its rows count bytes of eight bits.
struct BitKernels {
  void (*multiply)(const MultiplyJob&, const BitLayer&) = nullptr;
  void (*multiply_pooled)(const MultiplyJob&, const BitLayer&) = nullptr;
};

// Null where windows of weights are no faster.
struct SparseKernels {
  void (*multiply)(const MultiplyJob&, const SparseLayer&) = nullptr;
  void (*multiply_pooled)(const MultiplyJob&, const SparseLayer&) = nullptr;
  SparseCosts costs = {};
};

// Null where transforms do not pay: where products of bytes are fast, or vectors short.
struct WinogradKernels {
  void (*multiply)(const WinogradJob&, const WinogradLayer&) = nullptr;
  void (*multiply_pooled)(const WinogradJob&, const WinogradLayer&) = nullptr;
  WinogradCosts costs = {};
};

struct KernelSet {
  const char* name;
  Packing packing;
  void (*load_image)(const ImageJob&);
  void (*multiply)(const MultiplyJob&, const PackedLayer&);
  void (*multiply_pooled)(const MultiplyJob&,
                          const PackedLayer&);  // out of four rows, the largest sum
  void (*multiply_depthwise)(const MultiplyJob&, const DepthwiseLayer&);
  void (*add)(const AddJob&, std::int64_t count, const std::int8_t* a, const std::int8_t* b,
              std::int8_t* out);
  void (*average)(const AverageJob&, const std::uint8_t* image, std::int8_t* out);
  BitKernels bits = {};
  SparseKernels sparse = {};
  WinogradKernels winograd = {};
};

// The sets that this build has and this processor can run, the fastest first; the last one is the
// portable set.
std::vector<const KernelSet*> usable_kernel_sets();

// The set of that name, or the fastest one where `name` is empty. Throws ConfigError that lists the
// usable ones.
const KernelSet& kernel_set(const std::string& name);

}  // namespace pare::integer
