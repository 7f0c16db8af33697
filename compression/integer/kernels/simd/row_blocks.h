// The output pixels of a call, some at a time.
#pragma once

#include <cstdint>

namespace pare::integer {

// body.operator()<kRows>(first): four rows at a time, then one by one. Rows that are pooled come in
// fours.
template <int kPooled, class Body>
inline void each_four_rows(std::int64_t count, const Body& body) {
  std::int64_t first = 0;
  for (; first + 4 <= count; first += 4) body.template operator()<4>(first);
  if constexpr (kPooled == 1) {
    for (; first < count; ++first) body.template operator()<1>(first);
  }
}

}  // namespace pare::integer
