// What every program does around its work: errors become exit codes, and the system's ways of
// ending a process that writes become errors.
#pragma once

#include <functional>
#include <string>

namespace pare {

// The exit code of a program: what `run` returns, or the code of the error that it throws, which is
// printed on stderr. SIGPIPE (nobody reads our output) and SIGXFSZ (a file would exceed `ulimit
// -f`) are ignored from here on: the write fails instead, with a message and an exit code. SIGCHLD
// is not, as whoever started us may have had it: nobody could wait for a process then.
int run_main(const std::function<int()>& run);

// On stdout, at once. Throws FailedError where it cannot be written (a full disk, a reader that is
// gone).
void print(const std::string& text);

}  // namespace pare
