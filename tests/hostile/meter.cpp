// Counts in an operator new and delete of its own or, with PARE_ALLOCATOR_HOOKS, in the hooks of a
// sanitizer's allocator, whose operators check more than ours (and clang's ThreadSanitizer lets
// nobody replace them).
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

// `room` bytes were taken for the `size` that were asked for.
void take(std::size_t size, std::size_t room) {
  ++count;
  raise(largest, static_cast<std::uint64_t>(size));
  live += static_cast<std::int64_t>(room);
  raise(peak, live.load());
}

void give_back(std::size_t room) { live -= static_cast<std::int64_t>(room); }

}  // namespace

#ifdef PARE_ALLOCATOR_HOOKS

// <sanitizer/allocator_interface.h>, which gcc's packages leave out.
extern "C" int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void* block, std::size_t size),
    void (*on_free)(const volatile void* block));
extern "C" std::size_t __sanitizer_get_allocated_size(const volatile void* block);

namespace {

void install() {
  [[maybe_unused]] static const int installed = __sanitizer_install_malloc_and_free_hooks(
      [](const volatile void*, std::size_t size) { take(size, size); },
      [](const volatile void* block) {
        if (block != nullptr) give_back(__sanitizer_get_allocated_size(block));
      });
}

}  // namespace

#else

namespace {

void install() {}

void* counted(void* block, std::size_t size) {
  if (block == nullptr) throw std::bad_alloc();
  take(size, malloc_usable_size(block));
  return block;
}

void release(void* block) {
  if (block != nullptr) give_back(malloc_usable_size(block));
  std::free(block);
}

}  // namespace

// Every form: one that is missing would not call these.
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

#endif

namespace pare::test {

void start_meter() {
  install();
  largest = 0;
  count = 0;
  before = live.load();
  peak = live.load();
}

Allocations read_meter() {
  return {largest, static_cast<std::uint64_t>(std::max<std::int64_t>(0, peak - before)), count};
}

}  // namespace pare::test
