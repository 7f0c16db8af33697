// A pool of threads that wait briefly spinning and then sleep. Not OpenMP's: libgomp spins for
// milliseconds at every barrier and collapses as soon as another process takes one of the cores
// (docs/decisions.md).
#include "framework/base/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "framework/base/error.h"

namespace pare {
namespace {

int cores_of_this_process() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::clamp(CPU_COUNT(&set), 1, 64);
}

std::atomic<int>& threads() {
  static std::atomic<int> count = cores_of_this_process();
  return count;
}

thread_local bool inside_parallel_for = false;

// About 20 microseconds: longer than the serial code between two loops of a training step.
constexpr int kSpins = 1000;

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

// Waits until value != old.
template <class T>
void wait_for_change(const std::atomic<T>& value, T old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load() != old) return;
    relax();
  }
  value.wait(old);
}

struct Job {
  void (*call)(const void* body, std::int64_t i) = nullptr;
  const void* body = nullptr;
  std::int64_t count = 0;
  int workers = 0;  // of the pool, beside the caller
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr failure;

  void run() {
    for (;;) {
      const std::int64_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= count) return;
      try {
        call(body, i);
      } catch (...) {
        if (!failed.exchange(true)) failure = std::current_exception();
      }
    }
  }
};

// Invariant: round_ is odd while job_ may be worked on. A worker counts itself into active_ before
// it looks at round_, and the caller, once it has made round_ even again, waits for active_ to be 0
// before it touches job_.
class Pool {
 public:
  static Pool& instance() {
    static Pool pool;
    return pool;
  }

  // False where another thread is using the pool: the caller then works alone.
  bool run(std::int64_t count, void (*call)(const void*, std::int64_t), const void* body,
           int workers) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return false;
    while (static_cast<int>(threads_.size()) < workers) {
      threads_.emplace_back([this, index = static_cast<int>(threads_.size())] { work(index); });
    }
    job_.call = call;
    job_.body = body;
    job_.count = count;
    job_.workers = workers;
    job_.next.store(0, std::memory_order_relaxed);
    job_.failed.store(false, std::memory_order_relaxed);
    change_round();
    job_.run();
    change_round();
    for (int active = active_.load(); active != 0; active = active_.load())
      wait_for_change(active_, active);
    if (job_.failed) std::rethrow_exception(std::exchange(job_.failure, nullptr));
    return true;
  }

 private:
  Pool() = default;
  ~Pool() {
    stop_ = true;
    change_round();
    for (std::thread& thread : threads_) thread.join();
  }

  void change_round() {
    round_.fetch_add(1);
    round_.notify_all();
  }

  void work(int index) {
    inside_parallel_for = true;
    unsigned seen = 0;
    while (!stop_) {
      wait_for_change(round_, seen);
      active_.fetch_add(1);
      seen = round_.load();
      if (seen % 2 == 1 && !stop_ && index < job_.workers) job_.run();
      if (active_.fetch_sub(1) == 1) active_.notify_all();
    }
  }

  std::mutex mutex_;
  std::vector<std::thread> threads_;
  Job job_;
  std::atomic<unsigned> round_{0};
  std::atomic<int> active_{0};
  std::atomic<bool> stop_{false};
};

}  // namespace

int thread_count() { return threads(); }

void set_thread_count(int count) {
  if (count < 1 || count > 1024) {
    throw ConfigError("threads: expected 1 to 1024, got " + std::to_string(count));
  }
  threads() = count;
}

namespace detail {

void parallel_run(std::int64_t count, void (*call)(const void*, std::int64_t), const void* body) {
  const int workers = static_cast<int>(std::min<std::int64_t>(thread_count(), count)) - 1;
  if (workers > 0 && !inside_parallel_for) {
    inside_parallel_for = true;
    struct Leave {
      ~Leave() { inside_parallel_for = false; }
    } leave;
    if (Pool::instance().run(count, call, body, workers)) return;
  }
  for (std::int64_t i = 0; i < count; ++i) call(body, i);
}

}  // namespace detail
}  // namespace pare
