// Additions, global averages and depthwise convolutions on what an instruction set provides
// (multiply_tiles.h): 16 codes or 16 channels at a time. Include behind the target pragma.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/kernel_set.h"

namespace pare::integer {

// The zero point removed, then shifted or scaled.
template <class Isa>
inline typename Isa::Sum add_operand(const std::int8_t* codes, const AddOperand& operand) {
  const typename Isa::Sum x = Isa::add(Isa::widen(codes), Isa::fill(-operand.zero_point));
  if (operand.exact) return Isa::shift_left(x, operand.left);
  return Isa::scale(Isa::shift_left(x, kAddLeftShift), operand.scaling);
}

template <class Isa>
void add_codes(const AddJob& job, std::int64_t count, const std::int8_t* a, const std::int8_t* b,
               std::int8_t* out) {
  const auto one = [&](const std::int8_t* x, const std::int8_t* y, std::int8_t* to, int used) {
    const typename Isa::Sum sum = Isa::add(add_operand<Isa>(x, job.a), add_operand<Isa>(y, job.b));
    Isa::store(Isa::scale(sum, job.scaling), job.range, to, used);
  };
  std::int64_t i = 0;
  for (; i + kPanel <= count; i += kPanel) one(a + i, b + i, out + i, kPanel);
  if (i == count) return;
  const auto rest = static_cast<std::size_t>(count - i);
  std::int8_t x[kPanel] = {}, y[kPanel] = {};
  std::memcpy(x, a + i, rest);
  std::memcpy(y, b + i, rest);
  one(x, y, out + i, static_cast<int>(rest));
}

// Reads up to 15 bytes beyond the image.
template <class Isa>
void average_pixels(const AverageJob& job, const std::uint8_t* image, std::int8_t* out) {
  for (std::int64_t c = 0; c < job.channels; c += kPanel) {
    typename Isa::Sum sum = Isa::fill(job.start);
    for (std::int64_t p = 0; p < job.pixels; ++p) {
      sum = Isa::add(sum, Isa::widen(image + p * job.channels + c));
    }
    const auto used = static_cast<int>(std::min<std::int64_t>(kPanel, job.channels - c));
    Isa::store(Isa::scale(sum, job.scaling), job.range, out + c, used);
  }
}

template <class Isa>
void multiply_depthwise(const MultiplyJob& job, const DepthwiseLayer& layer) {
  for (std::int64_t c = 0; c < layer.channels; c += kPanel) {
    const auto used = static_cast<int>(std::min<std::int64_t>(kPanel, layer.channels - c));
    const std::int32_t* weights = layer.weights.data() + c * std::ssize(layer.offsets);
    for (std::int64_t r = 0; r < job.count; ++r) {
      const std::uint8_t* x = job.image + job.rows[r] + c;
      const std::int32_t* w = weights;
      typename Isa::Sum sum = Isa::load(layer.start.data() + c);
      for (const std::int32_t offset : layer.offsets) {
        sum = Isa::add(sum, Isa::multiply(Isa::widen(x + offset), Isa::load(w)));
        w += kPanel;
      }
      Isa::store(Isa::scale(sum, layer.scalings[c / kPanel]), job.range,
                 job.out + r * job.stride + c, used);
    }
  }
}

}  // namespace pare::integer
