#include "framework/base/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "framework/base/error.h"

namespace pare {
namespace {

TEST_CASE(
    "every index is visited exactly once, for any count and any number of threads, nested loops "
    "too") {
  for (const int threads : {1, 2, 3, 7}) {
    set_thread_count(threads);
    for (std::int64_t count = 0; count < 300; ++count) {
      std::vector<int> visits(static_cast<std::size_t>(count));
      std::atomic<int> inner = 0;
      parallel_for(count, [&](std::int64_t i) {
        ++visits[static_cast<std::size_t>(i)];
        parallel_for(2, [&](std::int64_t) { ++inner; });
      });
      CHECK(visits == std::vector<int>(static_cast<std::size_t>(count), 1));
      CHECK(inner == 2 * count);
    }
  }
  set_thread_count(2);
}

TEST_CASE("tiles cover the range without overlap and depend on sizes only") {
  std::vector<int> visits(1000);
  parallel_tiles(1000, 64, [&](std::int64_t begin, std::int64_t end) {
    CHECK(begin % 64 == 0);
    CHECK(end - begin == (begin == 960 ? 40 : 64));
    for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
  });
  CHECK(visits == std::vector<int>(1000, 1));
}

TEST_CASE("an exception of a body reaches the caller, and the next loop works") {
  for (int round = 0; round < 100; ++round) {
    CHECK_THROWS_AS(parallel_for(50,
                                 [&](std::int64_t i) {
                                   if (i == round % 50) throw std::runtime_error("x");
                                 }),
                    std::runtime_error);
    std::atomic<int> sum = 0;
    parallel_for(50, [&](std::int64_t) { ++sum; });
    CHECK(sum == 50);
  }
}

TEST_CASE("several threads may call at the same time") {
  std::atomic<std::int64_t> sum = 0;
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      for (int round = 0; round < 500; ++round) parallel_for(20, [&](std::int64_t i) { sum += i; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(sum == 4 * 500 * 190);
}

TEST_CASE("a thread count out of range is refused") {
  CHECK_THROWS_AS(set_thread_count(0), ConfigError);
  CHECK_THROWS_AS(set_thread_count(1025), ConfigError);
}

}  // namespace
}  // namespace pare
