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

// The codes of a panel, whose first channel is `channel` of `outputs`, in the rows [first, first +
// kRows): whole(r) is an accumulator, the largest of kPooled ones counts, scale(sum) as that of
// scaling_forms.h.
template <class Isa, int kRows, int kPooled, class Whole, class Scale>
inline void store_rows(const MultiplyJob& job, std::int64_t first, std::int64_t channel,
                       std::int64_t outputs, const Whole& whole, const Scale& scale) {
  const auto used = static_cast<int>(std::min<std::int64_t>(outputs - channel, kPanel));
  std::int8_t* out = job.out + first / kPooled * job.stride + channel;
#pragma GCC unroll 16
  for (int r = 0; r < kRows; r += kPooled, out += job.stride) {
    typename Isa::Sum sum = whole(r);
#pragma GCC unroll 4
    for (int k = 1; k < kPooled; ++k) sum = Isa::max(sum, whole(r + k));
    Isa::store(scale(sum), job.range, out, used);
  }
}

}  // namespace pare::integer
