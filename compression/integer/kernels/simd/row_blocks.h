// The output pixels of a call: taken some at a time, and stored. Include behind the target pragma.
#pragma once

#include <algorithm>
#include <cstdint>

#include "compression/integer/kernels/kernel_set.h"
#include "compression/integer/kernels/simd/scaling_forms.h"

namespace pare::integer {

// body.operator()<Scale, kRows>(first): four rows at a time, then one by one. Rows that are pooled
// come in fours.
template <class Isa, int kPooled, class Body>
inline void each_four_rows(const MultiplyJob& job, bool high, const Body& body) {
  with_scaling<Isa>(high, job.range, [&]<class Scale>() {
    std::int64_t first = 0;
    for (; first + 4 <= job.count; first += 4) body.template operator()<Scale, 4>(first);
    if constexpr (kPooled == 1) {
      for (; first < job.count; ++first) body.template operator()<Scale, 1>(first);
    }
  });
}

// Rows of the output that neighbouring pixels lie in, with those that are pooled with them.
template <int kPooled>
inline constexpr int kOutputRows = kPooled == 1 ? 1 : 2;

// Whether codes of four sums are made and clamped together.
template <class Isa>
inline constexpr bool StoresFours = requires(const typename Isa::Sum (&sums)[4], std::int8_t* out) {
  Isa::store_four(sums, CodeRange{}, out, std::int64_t{}, int{});
};

// The codes of a panel, whose first channel is `channel` of `outputs`, in the rows [first, first +
// kRows): whole(r) is an accumulator, the largest of kPooled ones counts, scale(sum) as that of
// scaling_forms.h.
template <class Isa, int kRows, int kPooled, class Whole, class Scale>
[[gnu::always_inline]] inline void store_rows(const MultiplyJob& job, std::int64_t first,
                                              std::int64_t channel, std::int64_t outputs,
                                              const Whole& whole, const Scale& scale) {
  const auto used = static_cast<int>(std::min<std::int64_t>(outputs - channel, kPanel));
  std::int8_t* out = job.out + first / kPooled * job.stride + channel;
  const auto scaled = [&](int r) __attribute__((always_inline)) {
    typename Isa::Sum sum = whole(r);
#pragma GCC unroll 4
    for (int k = 1; k < kPooled; ++k) sum = Isa::max(sum, whole(r + k));
    return scale(sum);
  };
  if constexpr (StoresFours<Isa> && kRows % (4 * kPooled) == 0) {
#pragma GCC unroll 4
    for (int r = 0; r < kRows; r += 4 * kPooled, out += 4 * job.stride) {
      const decltype(scaled(0)) four[] = {scaled(r), scaled(r + kPooled), scaled(r + 2 * kPooled),
                                          scaled(r + 3 * kPooled)};
      Isa::store_four(four, job.range, out, job.stride, used);
    }
  } else {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; r += kPooled, out += job.stride)
      Isa::store(scaled(r), job.range, out, used);
  }
}

}  // namespace pare::integer
