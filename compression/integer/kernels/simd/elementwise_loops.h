// Additions, global averages and depthwise convolutions on what an instruction set provides
// (multiply_tiles.h): 16 codes or 16 channels at a time. Include behind the target pragma.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/kernel_set.h"
#include "compression/integer/kernels/simd/scaling_forms.h"

namespace pare::integer {

template <class Isa>
inline typename Isa::Sum remove_zero_point(const std::int8_t* codes, const AddOperand& operand) {
  return Isa::add(Isa::widen(codes), Isa::fill(-operand.zero_point));
}

// kCodes at a time, by one(x, y, out).
template <int kCodes, class One>
inline void each_block(std::int64_t count, const std::int8_t* a, const std::int8_t* b,
                       std::int8_t* out, const One& one) {
  std::int64_t i = 0;
  for (; i + kCodes <= count; i += kCodes) one(a + i, b + i, out + i);
  if (i == count) return;
  const auto rest = static_cast<std::size_t>(count - i);
  std::int8_t x[kCodes] = {}, y[kCodes] = {}, whole[kCodes];
  std::memcpy(x, a + i, rest);
  std::memcpy(y, b + i, rest);
  one(x, y, whole);
  std::memcpy(out + i, whole, rest);
}

template <class Isa, class Scale>
inline typename Isa::Sum scaled_operand(const std::int8_t* codes, const AddOperand& operand,
                                        const Scale& scale) {
  return scale(Isa::shift_left(remove_zero_point<Isa>(codes, operand), kAddLeftShift));
}

// Both operands scaled, whatever their multipliers: training lowers to none of these.
template <class Isa>
void add_scaled(const AddJob& job, std::int64_t count, const std::int8_t* a, const std::int8_t* b,
                std::int8_t* out) {
  const typename Isa::AnyScaling scale_a(job.a.scaling), scale_b(job.b.scaling), scale(job.scaling);
  each_block<kPanel>(
      count, a, b, out, [&](const std::int8_t* x, const std::int8_t* y, std::int8_t* to) {
        const typename Isa::Sum sum = Isa::add(scaled_operand<Isa>(x, job.a, scale_a),
                                               scaled_operand<Isa>(y, job.b, scale_b));
        Isa::store(scale(sum), job.range, to, kPanel);
      });
}

// Isa::PairAdder(pairs, range) adds kCodes codes at once by one product of pairs (PairSum).
template <class Isa>
inline constexpr bool AddsPairs = requires {
  typename Isa::PairAdder;
};

// An exact operand is only shifted: `a` in every program of training, both where scales are equal.
template <class Isa>
void add_codes(const AddJob& job, std::int64_t count, const std::int8_t* a, const std::int8_t* b,
               std::int8_t* out) {
  const auto shifted = [](const std::int8_t* codes, const AddOperand& operand, auto& sum) {
    sum = Isa::shift_left(remove_zero_point<Isa>(codes, operand), operand.left);
  };
  const auto run = [&](const auto& scale, const auto& right_operand) {
    each_block<kPanel>(count, a, b, out,
                       [&](const std::int8_t* x, const std::int8_t* y, std::int8_t* to) {
                         typename Isa::Sum left, right;
                         shifted(x, job.a, left);
                         right_operand(y, right);
                         Isa::store(scale(Isa::add(left, right)), job.range, to, kPanel);
                       });
  };
  if constexpr (AddsPairs<Isa>) {
    using Adder = typename Isa::PairAdder;
    if (job.pairs.exact)
      return each_block<Adder::kCodes>(count, a, b, out, Adder(job.pairs, job.range));
  }
  if (!job.a.exact || !(job.b.exact || job.b.scaling.high))
    return add_scaled<Isa>(job, count, a, b, out);
  with_scaling<Isa>(job.scaling.high, job.range, [&]<class Scale>() {
    const Scale scale(job.scaling);
    if (job.b.exact) {
      return run(scale, [&](const std::int8_t* y, auto& sum) { shifted(y, job.b, sum); });
    }
    const typename Isa::HighScaling scale_b(job.b.scaling);
    run(scale,
        [&](const std::int8_t* y, auto& sum) { sum = scaled_operand<Isa>(y, job.b, scale_b); });
  });
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
    Isa::store(typename Isa::AnyScaling(job.scaling)(sum), job.range, out + c, used);
  }
}

template <class Isa>
void multiply_depthwise(const MultiplyJob& job, const DepthwiseLayer& layer) {
  for (std::int64_t c = 0; c < layer.channels; c += kPanel) {
    const auto used = static_cast<int>(std::min<std::int64_t>(kPanel, layer.channels - c));
    const std::int32_t* weights = layer.weights.data() + c * std::ssize(layer.offsets);
    const PanelScaling& scaling = layer.lanes.scalings[c / kPanel];
    with_scaling<Isa>(scaling.high, job.range, [&]<class Scale>() {
      const Scale scale(scaling);
      for (std::int64_t r = 0; r < job.count; ++r) {
        const std::uint8_t* x = job.image + job.rows[r] + c;
        const std::int32_t* w = weights;
        typename Isa::Sum sum = Isa::load(layer.lanes.start.data() + c);
        for (const std::int32_t offset : layer.offsets) {
          sum = Isa::add(sum, Isa::multiply(Isa::widen(x + offset), Isa::load(w)));
          w += kPanel;
        }
        Isa::store(scale(sum), job.range, job.out + r * job.stride + c, used);
      }
    });
  }
}

}  // namespace pare::integer
