// Fair timing of several contenders that do the same work: in turns, on a machine that may have
// other work.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace pare::bench {

struct Contender {
  std::string name;  // the same in every row, for one column of a table
  // Works for about `seconds` and appends the seconds that each call took, at least three.
  std::function<void(double seconds, std::vector<double>& times)> turn;
  std::string details = {};  // JSON: what a worker says of itself (worker.h), or empty
};

// What a call is measured with. The processor time of a process with one thread holds on a busy
// machine too.
enum class Clock { wall, processor };

// A contender that calls a function of this process. The first call of a turn is not counted; nor
// is `before`, which is called ahead of each where there is one.
Contender caller(std::string name, std::function<void()> call, Clock clock = Clock::wall,
                 std::function<void()> before = nullptr);

// Seconds of a single call. Median and quartiles over all timed calls: a neighbour who takes the
// processor makes few calls very long, and the median does not see them.
struct Timing {
  double median = 0, least = 0;
  double spread = 0;  // (third quartile - first quartile) / median
};

// Rounds in which each contender has its turn, after a pause in which threads of the one before go
// to sleep, until each has had about `seconds`; at least seven rounds.
std::vector<Timing> measure(std::span<const Contender> contenders, double seconds);

}  // namespace pare::bench
