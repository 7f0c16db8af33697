#include "apps/bench/timing.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <thread>

namespace pare::bench {
namespace {

constexpr int kRounds = 7;
constexpr double kPause = 0.003;

double now(Clock clock) {
  timespec t;
  clock_gettime(clock == Clock::wall ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

Timing summarize(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double part) {
    return times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))];
  };
  return {at(0.5), times.front(), (at(0.75) - at(0.25)) / at(0.5)};
}

}  // namespace

Contender caller(std::string name, std::function<void()> call, Clock clock,
                 std::function<void()> before) {
  return {std::move(name), [=](double seconds, std::vector<double>& times) {
            if (before) before();
            call();
            double total = 0;
            for (int i = 0; i < 3 || total < seconds; ++i) {
              if (before) before();
              const double start = now(clock);
              call();
              times.push_back(now(clock) - start);
              total += times.back();
            }
          }};
}

std::vector<Timing> measure(std::span<const Contender> contenders, double seconds) {
  std::vector<std::vector<double>> times(contenders.size());
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t c = 0; c < contenders.size(); ++c) {
      std::this_thread::sleep_for(std::chrono::duration<double>(kPause));
      contenders[c].turn(seconds / kRounds, times[c]);
    }
  }
  std::vector<Timing> result;
  for (std::vector<double>& t : times) result.push_back(summarize(std::move(t)));
  return result;
}

}  // namespace pare::bench
