#include "tests/hostile/meter.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::uint64_t> largest = 0, count = 0;
std::atomic<std::int64_t> live = 0, peak = 0, before = 0;

template <class T>
void raise(std::atomic<T>& to, T value) {
  T old = to;
  while (old < value && !to.compare_exchange_weak(old, value)) continue;
}

void* counted(void* block, std::size_t size) {
  if (block == nullptr) throw std::bad_alloc();
  ++count;
  raise(largest, static_cast<std::uint64_t>(size));
  live += static_cast<std::int64_t>(malloc_usable_size(block));
  raise(peak, live.load());
  return block;
}

void release(void* block) {
  if (block != nullptr) live -= static_cast<std::int64_t>(malloc_usable_size(block));
  std::free(block);
}

}  // namespace

// Every form, because a sanitizer's own forms would not call these.
void* operator new(std::size_t size) { return counted(std::malloc(size), size); }
void* operator new[](std::size_t size) { return counted(std::malloc(size), size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return counted(std::malloc(size), size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return counted(std::malloc(size), size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto unit = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(unit, (size + unit - 1) / unit * unit), size);
}
void operator delete(void* block) noexcept { release(block); }
void operator delete[](void* block) noexcept { release(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { release(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { release(block); }
void operator delete(void* block, std::size_t) noexcept { release(block); }
void operator delete[](void* block, std::size_t) noexcept { release(block); }
void operator delete(void* block, std::align_val_t) noexcept { release(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { release(block); }

namespace pare::test {

void start_meter() {
  largest = 0;
  count = 0;
  before = live.load();
  peak = live.load();
}

Allocations read_meter() {
  return {largest, static_cast<std::uint64_t>(std::max<std::int64_t>(0, peak - before)), count};
}

}  // namespace pare::test
