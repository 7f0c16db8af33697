// SIGINT and SIGTERM: the first asks the program to stop when it is ready (it saves first), the
// second ends it at once.
#pragma once

namespace pare {

void catch_signals();

// The signal that came, or 0.
int caught_signal();

}  // namespace pare
