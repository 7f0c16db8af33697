// The only place where Pare uses more than one thread.
//
// parallel_for(count, body) calls body(i) once for every i in [0, count), in any order, on up to
// thread_count() threads, and returns when all are done. The contract that makes results
// independent of the number of threads: each i writes its own output, and how work is cut into i's
// depends on shapes only, never on thread_count(). An exception thrown by a body is rethrown to the
// caller after all others have finished. Nested calls run serially.
#pragma once

#include <cstdint>
#include <type_traits>

namespace pare {

// Number of threads that parallel_for uses; default: the cores this process may run on, at most 64.
int thread_count();
// Throws ConfigError unless 1 <= count <= 1024.
void set_thread_count(int count);

namespace detail {
void parallel_run(std::int64_t count, void (*call)(const void* body, std::int64_t i),
                  const void* body);
}

template <class Body>
void parallel_for(std::int64_t count, const Body& body) {
  detail::parallel_run(
      count, [](const void* b, std::int64_t i) { (*static_cast<const Body*>(b))(i); }, &body);
}

// Cuts [0, size) into tiles of `tile` elements (the last may be shorter) and calls body(begin, end)
// for each.
template <class Body>
void parallel_tiles(std::int64_t size, std::int64_t tile, const Body& body) {
  parallel_for((size + tile - 1) / tile, [&](std::int64_t i) {
    const std::int64_t begin = i * tile;
    body(begin, begin + tile < size ? begin + tile : size);
  });
}

}  // namespace pare
