// StepVector: a std::vector for the work of one training step (graph nodes, partial sums, plans).
//
// Its memory comes from a pool that recycles by size, as the memory of tensors does (storage.h), so
// that a step like the one before it allocates nothing. A vector that grows leaves its smaller
// blocks in the pool: reserve() where the size is known. Safe from any thread.
#pragma once

#include <cstddef>
#include <vector>

namespace pare {

void* step_memory(std::size_t bytes);
void free_step_memory(void* memory, std::size_t bytes);

template <class T>
struct StepAllocator {
  using value_type = T;
  StepAllocator() = default;
  template <class U>
  StepAllocator(const StepAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(step_memory(n * sizeof(T))); }
  void deallocate(T* p, std::size_t n) { free_step_memory(p, n * sizeof(T)); }
  bool operator==(const StepAllocator&) const { return true; }
};

template <class T>
using StepVector = std::vector<T, StepAllocator<T>>;

}  // namespace pare
