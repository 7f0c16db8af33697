// The fast kernels of operations that treat every channel alone: depthwise convolution, pools, add.
// Channels are the innermost loop, which compilers turn into vectors of integers. One image each.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "compression/integer/kernels/scratch.h"
#include "compression/integer/operations.h"
#include "compression/integer/program.h"

namespace pare::integer {

// taps[kernel_h][kernel_w][out]: weights with zero point removed and sign applied.
std::vector<std::int16_t> depthwise_taps(const DepthwiseConv2d& op, const WeightLayout& layout);
void convolve_depthwise(const DepthwiseConv2d& op, const std::vector<std::int16_t>& taps,
                        const Tensor& input, const Tensor& output, Rounding rounding,
                        const std::int8_t* codes, std::int8_t* out, Scratch& scratch);

void max_pool(const Window& window, const Tensor& input, const Tensor& output,
              const std::int8_t* codes, std::int8_t* out);
void average_pool(const Window& window, const Tensor& input, const Tensor& output,
                  const std::int8_t* codes, std::int8_t* out, Scratch& scratch);
void average_globally(const GlobalAverage& op, const Tensor& input, const Tensor& output,
                      Rounding rounding, const std::int8_t* codes, std::int8_t* out,
                      Scratch& scratch);

// The scaled value of each of the 256 codes of one operand of an addition; index code + 128.
using OperandTable = std::array<std::int32_t, 256>;
OperandTable operand_table(const Tensor& tensor, Multiplier m, Rounding rounding);
void add(const Add& op, const OperandTable& a_table, const OperandTable& b_table,
         const Tensor& output, Rounding rounding, const std::int8_t* a, const std::int8_t* b,
         std::int8_t* out);

}  // namespace pare::integer
