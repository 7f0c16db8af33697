#include "framework/tensor/storage.h"

#include <sys/mman.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

namespace pare {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Large blocks begin at a huge page and ask for huge ones: a step walks through tens of megabytes,
// more than the processor keeps addresses of pages of 4 kB for. Only pages that the block fills to
// the end can become huge, so nothing more is resident. Throws std::bad_alloc.
void* allocate_pages(std::size_t bytes) {
  const bool large = bytes >= kHugePage;
  void* memory = nullptr;
  if (::posix_memalign(&memory, large ? kHugePage : 64, bytes ? bytes : 64) != 0) {
    throw std::bad_alloc();
  }
  if (large) ::madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  return memory;
}

}  // namespace

struct StoragePool {
  std::mutex mutex;
  std::unordered_map<std::int64_t, std::vector<Storage*>> waiting;  // by number of floats
  MemoryStatistics statistics;
  int fill = -1;

  // Never destroyed: tensors with static storage may let go after main.
  static StoragePool& instance() {
    static auto* pool = new StoragePool;
    return *pool;
  }

  static Storage* from_system(std::int64_t floats, Storage::Kind kind) {
    const std::size_t bytes = (static_cast<std::size_t>(floats) * sizeof(float) + 63) / 64 * 64;
    std::unique_ptr<Storage> storage(new Storage);
    storage->data_ = static_cast<float*>(allocate_pages(bytes));
    storage->floats_ = floats;
    storage->kind_ = kind;
    return storage.release();
  }

  static void to_system(Storage* storage) {
    std::free(storage->data_);
    delete storage;
  }

  Storage* take(std::int64_t floats) {
    const std::lock_guard lock(mutex);
    const auto bytes = static_cast<std::int64_t>(sizeof(float)) * floats;
    statistics.step_bytes_now += bytes;
    if (statistics.step_bytes_now > statistics.step_bytes_peak) {
      statistics.step_bytes_peak = statistics.step_bytes_now;
    }
    Storage* storage = nullptr;
    if (auto found = waiting.find(floats); found != waiting.end() && !found->second.empty()) {
      storage = found->second.back();
      found->second.pop_back();
      storage->references_.store(1, std::memory_order_relaxed);
    } else {
      storage = from_system(floats, Storage::Kind::step);
      statistics.pool_bytes += bytes;
      ++statistics.system_allocations;
    }
    if (fill >= 0) std::memset(storage->data_, fill, static_cast<std::size_t>(bytes));
    return storage;
  }

  void give_back(Storage* storage) {
    const std::lock_guard lock(mutex);
    statistics.step_bytes_now -= static_cast<std::int64_t>(sizeof(float)) * storage->floats_;
    waiting[storage->floats_].push_back(storage);
  }
};

Storage* Storage::allocate(std::int64_t floats, Kind kind) {
  return kind == Kind::step ? StoragePool::instance().take(floats)
                            : StoragePool::from_system(floats, kind);
}

void Storage::release() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (kind_ == Kind::step) {
    StoragePool::instance().give_back(this);
  } else {
    StoragePool::to_system(this);
  }
}

MemoryStatistics memory_statistics() {
  auto& pool = StoragePool::instance();
  const std::lock_guard lock(pool.mutex);
  return pool.statistics;
}

void reset_memory_peak() {
  auto& pool = StoragePool::instance();
  const std::lock_guard lock(pool.mutex);
  pool.statistics.step_bytes_peak = pool.statistics.step_bytes_now;
}

void release_step_memory() {
  auto& pool = StoragePool::instance();
  const std::lock_guard lock(pool.mutex);
  for (auto& [floats, blocks] : pool.waiting) {
    pool.statistics.pool_bytes -= static_cast<std::int64_t>(sizeof(float)) * floats *
                                  static_cast<std::int64_t>(blocks.size());
    for (Storage* storage : blocks) StoragePool::to_system(storage);
  }
  pool.waiting.clear();
#ifdef __GLIBC__
  ::malloc_trim(0);  // blocks in the middle of the heap stay resident otherwise
#endif
}

void set_memory_fill(int byte) {
  auto& pool = StoragePool::instance();
  const std::lock_guard lock(pool.mutex);
  pool.fill = byte;
}

}  // namespace pare
