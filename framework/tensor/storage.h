// Memory of tensors: 64-byte aligned blocks with a reference count, recycled by exact size.
//
// A training step allocates the same sizes again and again. Blocks for step memory therefore go
// back to a pool when their last owner lets go, and the next request of the same size takes one
// from there: after the second step there is no allocation and no page fault. What outlives a step
// (parameters, moments) comes from the heap and returns to it. Safe from any thread; meant for one
// training thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace pare {

class Storage {
 public:
  enum class Kind { step, heap };

  // Reference count 1, contents unspecified.
  static Storage* allocate(std::int64_t floats, Kind kind);

  float* data() { return data_; }
  void retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  void release();
  bool unique() const { return references_.load(std::memory_order_acquire) == 1; }

 private:
  friend struct StoragePool;
  Storage() = default;
  std::atomic<std::int64_t> references_{1};
  std::int64_t floats_ = 0;
  Kind kind_ = Kind::heap;
  float* data_ = nullptr;
};

// What the pool has done so far, for tests and `--plan`.
struct MemoryStatistics {
  std::int64_t step_bytes_now = 0;      // step memory in use
  std::int64_t step_bytes_peak = 0;     // its largest value since reset_peak
  std::int64_t pool_bytes = 0;          // step memory ever taken from the system, in use or waiting
  std::int64_t system_allocations = 0;  // how often the pool had to ask the system
};
MemoryStatistics memory_statistics();
void reset_memory_peak();
// Returns all waiting blocks to the system.
void release_step_memory();
// Test hook: step memory is filled with this byte before it is handed out (-1: left as it is).
void set_memory_fill(int byte);

}  // namespace pare
