// Requests for memory that a kernel will need soon. Passes over tensors that no cache holds run two
// to three times faster with them where they read several rows at once, skip some, or write what
// they have not read: the processor foresees too little of that.
//
// Requests beyond those that are under way, some twenty, get lost: ask for a line or a few per
// vector of work, not for a row at once. They never fault, so places outside of a tensor are fine.
#pragma once

#include <cstdint>

namespace pare {

// How many rows ahead a loop over rows asks: about the latency of memory over the time of a row.
inline constexpr std::int64_t kRowsAhead = 16;

inline const void* address(const float* p, std::int64_t offset) {
  return reinterpret_cast<const void*>(reinterpret_cast<std::intptr_t>(p) + 4 * offset);
}

// For reading p[offset].
inline void prefetch(const float* p, std::int64_t offset) {
  __builtin_prefetch(address(p, offset));
}
// For writing it.
inline void prefetch_to_write(const float* p, std::int64_t offset) {
  __builtin_prefetch(address(p, offset), 1);
}

}  // namespace pare
