// Contenders that are processes of their own: another build of ours, PyTorch, and ourselves beside
// them, so that all are measured the same way.
//
// The protocol is lines of text. The process prints one line when it is ready, "ready NAME", with a
// tab and a JSON object behind it where it has more to say of itself; then, for each line "SECONDS"
// that it reads, the seconds of every call of a turn (timing.h), separated by spaces, on one line.
// It ends when its input does.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "apps/bench/timing.h"

namespace pare::bench {

// The other side's process.
struct WorkerCommand {
  std::vector<std::string> arguments;  // the program first
  // NAME, VALUE on top of our own environment; an empty value removes the variable. The variables
  // that hold OpenBLAS back (OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE) are always removed.
  std::vector<std::pair<std::string, std::string>> environment = {};
};

// Starts it and waits until it is ready; the contender has the name and the details that it gives
// itself. Throws FailedError with what it printed instead.
Contender worker(const WorkerCommand& command);

// What a worker with so many threads counts: processor time with one, wall time with several.
Clock clock_for(int threads);

// This side: serves turns on standard input and output until the input ends.
void serve(const Contender& self);

// The path of the running program.
std::string own_program();

}  // namespace pare::bench
