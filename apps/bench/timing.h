// Fair timing of several contenders that do the same work: in turns, call by call, on a machine
// that may have other work.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace pare::bench {

struct Contender {
  std::string name;
  std::function<void()> call;
};

// Seconds of a single call. Median and quartiles over all timed calls: a neighbour who takes the
// processor makes few calls very long, and the median does not see them.
struct Timing {
  double median = 0, least = 0;
  double spread = 0;  // (third quartile - first quartile) / median
};

// Rounds in which each contender has its turn, after a pause in which threads of the one before go
// to sleep, until each has had about `seconds`; at least seven rounds. The first call of a turn is
// not counted.
std::vector<Timing> measure(std::span<const Contender> contenders, double seconds);

}  // namespace pare::bench
