#include "apps/bench/timing.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace pare::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRounds = 7;
constexpr double kPause = 0.003;

double timed(const Contender& contender) {
  const Clock::time_point start = Clock::now();
  contender.call();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Calls for about `seconds`, at least three.
void take_turn(const Contender& contender, double seconds, std::vector<double>& times) {
  std::this_thread::sleep_for(std::chrono::duration<double>(kPause));
  contender.call();
  double total = 0;
  for (int i = 0; i < 3 || total < seconds; ++i) {
    times.push_back(timed(contender));
    total += times.back();
  }
}

Timing summarize(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double part) {
    return times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))];
  };
  return {at(0.5), times.front(), (at(0.75) - at(0.25)) / at(0.5)};
}

}  // namespace

std::vector<Timing> measure(std::span<const Contender> contenders, double seconds) {
  std::vector<std::vector<double>> times(contenders.size());
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t c = 0; c < contenders.size(); ++c) {
      take_turn(contenders[c], seconds / kRounds, times[c]);
    }
  }
  std::vector<Timing> result;
  for (std::vector<double>& t : times) result.push_back(summarize(std::move(t)));
  return result;
}

}  // namespace pare::bench
