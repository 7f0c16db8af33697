#include "framework/tensor/step_vector.h"

#include <map>
#include <mutex>
#include <new>

namespace pare {
namespace {

struct Pool {
  std::mutex mutex;
  std::map<std::size_t, std::vector<void*>> waiting;  // by size
  static Pool& instance() {
    static auto* pool = new Pool;  // never destroyed, like the tensors' pool
    return *pool;
  }
};

}  // namespace

void* step_memory(std::size_t bytes) {
  auto& pool = Pool::instance();
  {
    const std::lock_guard lock(pool.mutex);
    auto& blocks = pool.waiting[bytes];
    if (!blocks.empty()) {
      void* memory = blocks.back();
      blocks.pop_back();
      return memory;
    }
  }
  return ::operator new(bytes);
}

void free_step_memory(void* memory, std::size_t bytes) {
  auto& pool = Pool::instance();
  const std::lock_guard lock(pool.mutex);
  pool.waiting[bytes].push_back(memory);
}

}  // namespace pare
