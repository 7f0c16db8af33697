// Convolution and dense layers as panels: the taps of some output pixels (or the inputs of some
// images) are gathered into rows of int16, and every panel of 16 output channels is multiplied with
// all of them.
#pragma once

#include <cstdint>
#include <span>

#include "compression/integer/kernels/panel.h"
#include "compression/integer/kernels/scratch.h"
#include "compression/integer/program.h"

namespace pare::integer {

// Rows gathered at a time for `pairs` pairs of taps: about 64 KB of them, at least 4 and at
// most 64.
std::int64_t rows_at_a_time(std::int64_t pairs);

// A layer as its kernels see it. `groups` holds the panels of each group; dense has one.
struct PanelLayer {
  const Tensor& input;
  const Tensor& output;
  std::span<const Panels> groups;
  Finish finish;
  PanelKernel kernel;
};

// One image.
void convolve(const PanelLayer& layer, const Window& window, const std::int8_t* codes,
              std::int8_t* out, Scratch& scratch);

// `images` images, the inputs and outputs of one directly behind those of the one before.
void multiply_dense(const PanelLayer& layer, std::int64_t images, const std::int8_t* codes,
                    std::int8_t* out, Scratch& scratch);

}  // namespace pare::integer
