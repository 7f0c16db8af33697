// The tables of `bench train` and `bench kernels`; other commands print those of rows.h.
#pragma once

#include <string>
#include <vector>

#include "apps/bench/rows.h"

namespace pare::bench {

// One line per measurement, one group of columns per peer: its figure, the ratio of medians, that
// of the shortest steps, the wider spread. Below it what each peer computes with, and a warning
// for one that is not tuned.
std::string train_table(const std::vector<Row>& rows);

// One line per kernel and peer, with the time of a call.
std::string kernel_lines(const std::vector<Row>& rows);

// Why a peer is slower than it could be, by its own details (worker.h), one sentence a reason.
std::vector<std::string> untuned(const std::string& details);

}  // namespace pare::bench
