#include "apps/lib/run_program.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "apps/lib/signals.h"
#include "framework/base/error.h"

namespace pare {
namespace {

constexpr int kNotFound = 127;  // as shells say it

// Between fork and exec only calls that are safe there.
[[noreturn]] void become(char* const* arguments, pid_t parent, const SignalsHeldBack& signals) {
  signals.let_go_in_child();
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() == parent) ::execvp(arguments[0], arguments);
  ::_exit(kNotFound);
}

pid_t started(char* const* arguments) {
  const pid_t parent = ::getpid();
  const SignalsHeldBack signals;
  const pid_t child = ::fork();
  if (child == 0) become(arguments, parent, signals);
  return child;
}

}  // namespace

int run_program(const std::vector<std::string>& arguments) {
  std::vector<char*> raw;
  for (const std::string& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  const pid_t child = started(raw.data());
  if (child < 0)
    throw FailedError("cannot run '" + arguments[0] + "': " + ::strerror(errno) + "; try again");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno == EINTR) continue;
    throw FailedError("how '" + arguments[0] + "' ended is not known: " + ::strerror(errno) +
                      "; try again, with SIGCHLD not ignored");
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotFound)
    throw FailedError("cannot run '" + arguments[0] + "'; is it installed?");
  if (!WIFEXITED(status)) {
    throw FailedError("'" + arguments[0] + "' was stopped: " + ::strsignal(WTERMSIG(status)));
  }
  return WEXITSTATUS(status);
}

}  // namespace pare
