#include "framework/base/parallel.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <exception>

#include "framework/base/error.h"

namespace pare {
namespace {

int cores_of_this_process() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::clamp(CPU_COUNT(&set), 1, 64);
}

int& threads() {
  static int count = cores_of_this_process();
  return count;
}

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
  const int workers = static_cast<int>(std::min<std::int64_t>(thread_count(), count));
  if (workers <= 1 || omp_in_parallel()) {
    for (std::int64_t i = 0; i < count; ++i) call(body, i);
    return;
  }
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1) num_threads(workers)
  for (std::int64_t i = 0; i < count; ++i) {
    try {
      call(body, i);
    } catch (...) {
#pragma omp critical(pare_parallel_failure)
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace detail
}  // namespace pare
