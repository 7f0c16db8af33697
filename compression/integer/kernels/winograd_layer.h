// A 3 x 3 convolution of stride 1 by minimal filtering (Winograd 1980; Lavin and Gray 2016, "Fast
// algorithms for convolutional neural networks", section 4.1): 16 products in place of 36 for four
// output pixels of a channel, exact in integers.
//
//   F(2 x 2, 3 x 3): with d 4 x 4 bytes of the image and g 3 x 3 weights,
//     4 y = A^T [ (2G g (2G)^T) * (B^T d B) ] A
//
// clang-format off
//     B^T = 1  0 -1  0     2G = 2  0  0     A^T = 1  1  1  0
//           0  1  1  0          1  1  1           0  1 -1 -1
//           0 -1  1  0          1 -1  1
//           0  1  0 -1          0  0  2
// clang-format on
//
// B^T d B of bytes lies in -510 .. 1020 and 2G g (2G)^T in +-9 * 255: 16 bits each. Sums are exact
// modulo 2^32, and 4 y fits int32, which pack_winograd() asks of the weights; so a shift gives y.
// A *place* is one of the 4 x 4 positions of a transformed tile.
#pragma once

#include <cstdint>
#include <optional>

#include "compression/integer/kernels/aligned.h"
#include "compression/integer/kernels/lane_constants.h"
#include "compression/integer/kernels/packed_layer.h"

namespace pare::integer {

inline constexpr int kWinogradPlaces = 16;
inline constexpr int kWinogradTiles = 16;   // that are transformed together
inline constexpr int kWinogradInputs = 16;  // input channels come in so many
// A thread's memory is 512 bytes for each.
inline constexpr std::int64_t kMostWinogradInputs = 4096;

struct WinogradLayer {
  std::int64_t inputs = 0, outputs = 0;
  AlignedVector<std::int16_t> weights;  // [panel][place][input / 2][16 channels][2 inputs]
  LaneConstants lanes;
};

// What an instruction set takes for a pixel and a panel, in half cycles: an entry of a packed
// layer, one of its small entries, an input channel here, and a panel here whatever it reads.
struct WinogradCosts {
  std::int64_t entry = 0, small = 0, input = 0, panel = 0;
};

// The image is padded and its bytes are code + input_offset, as for packed layers; a kernel reads
// one row and one pixel beyond it where the output has an odd height or width.
struct WinogradJob {
  const std::uint8_t* image;
  std::int64_t row_bytes;      // from one row of the image to the next
  std::int64_t height, width;  // of the output, before a pooling
  CodeRange range;
  std::int8_t* out;
  std::int64_t stride;     // codes from one output pixel to the next
  std::int16_t* patches;   // memory for [place][kWinogradTiles][input]
  std::int32_t* products;  // memory for [place][kWinogradTiles][16 channels]
};

// What a layer takes in its packed form, for an output pixel, in half cycles.
std::int64_t packed_cost(const PackedLayer& layer, const WinogradCosts& costs);

// None where the layer is no such convolution, or where `cost` half cycles for a pixel are as
// cheap: those of its best other form. Takes the constants of `dense`.
std::optional<WinogradLayer> pack_winograd(const Conv2d& op, const Tensor& input,
                                           const Tensor& output, const PackedLayer& dense,
                                           const WinogradCosts& costs, std::int64_t cost);

}  // namespace pare::integer
