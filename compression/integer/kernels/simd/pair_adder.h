// Additions as one product of pairs (PairSum), a whole vector of codes at a time. Include behind
// the target pragma.
//
// `V` names the instructions of one vector length, which work within 128 bits: what unpacking tears
// apart there, packing puts together again, so codes come out in their order.
#pragma once

#include <cstdint>

#include "compression/integer/kernels/elementwise.h"

namespace pare::integer {

template <class V>
class PairAdder {
 public:
  using Vector = typename V::Vector;
  static constexpr int kCodes = sizeof(Vector);

  PairAdder(const PairSum& pairs, const CodeRange& range)
      : high_(V::fill_lanes(pairs.high)),
        low_(V::fill_lanes(pairs.low)),
        constant_(V::fill_lanes(pairs.constant)),
        low_shift_(_mm_cvtsi32_si128(PairSum::kLowRight)),
        shift_(_mm_cvtsi32_si128(pairs.shift)),
        least_(V::fill_bytes(range.low)),
        most_(V::fill_bytes(range.high)) {}

  void operator()(const std::int8_t* a, const std::int8_t* b, std::int8_t* out) const {
    const Vector x = V::load(a), y = V::load(b), zero = V::fill_bytes(0);
    const Vector left = packed(V::low_bytes(zero, x), V::low_bytes(zero, y));
    const Vector right = packed(V::high_bytes(zero, x), V::high_bytes(zero, y));
    V::store(V::min_bytes(V::max_bytes(V::pack_words(left, right), least_), most_), out);
  }

 private:
  // Codes as words, from codes in the high bytes of words. Saturation does no harm: codes are
  // clamped to a narrower range.
  Vector packed(Vector x, Vector y) const {
    return V::pack_lanes(sum(V::low_words(x, y)), sum(V::high_words(x, y)));
  }
  Vector sum(Vector pairs) const {
    const Vector low =
        V::right(V::multiply(V::words_right(pairs, PairSum::kHighLeft), low_), low_shift_);
    return V::right(V::multiply_add(V::add(low, constant_), pairs, high_), shift_);
  }

  Vector high_, low_, constant_;
  __m128i low_shift_, shift_;
  Vector least_, most_;
};

}  // namespace pare::integer
