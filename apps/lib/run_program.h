// Running another program and waiting for it. No shell takes part, so no character of an argument
// means anything.
#pragma once

#include <string>
#include <vector>

namespace pare {

// The program is looked up in $PATH; it inherits stdin, stdout and stderr, and is ended where we
// die. Returns its exit code. Throws FailedError where it cannot be started or ends by a signal.
int run_program(const std::vector<std::string>& arguments);

}  // namespace pare
