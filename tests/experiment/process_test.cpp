// Starting other programs: signals between fork and exec, and waiting for the end.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/lib/run_program.h"
#include "apps/lib/signals.h"
#include "framework/base/error.h"
#include "framework/base/program.h"

using namespace pare;

namespace {

// How a process ends that catches signals and forks one that is asked to stop before it is another
// program.
int signal_of_asked_child() {
  catch_signals();
  const SignalsHeldBack signals;
  const pid_t child = fork();
  if (child == 0) {
    raise(SIGTERM);
    signals.let_go_in_child();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("a signal between fork and exec ends the child") {
  const pid_t process = fork();  // the handler stays
  if (process == 0) _exit(signal_of_asked_child());
  int status = 0;
  REQUIRE(waitpid(process, &status, 0) == process);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == SIGTERM);
}

TEST_CASE("a program whose end is not known did not end well") {
  CHECK(run_program({"true"}) == 0);
  CHECK(run_program({"false"}) == 1);
  signal(SIGCHLD, SIG_IGN);
  CHECK_THROWS_AS(run_program({"true"}), FailedError);
  CHECK(run_main([] { return run_program({"false"}); }) == 1);
  CHECK(run_main([] { return run_program({"true"}); }) == 0);
  signal(SIGCHLD, SIG_DFL);
}
