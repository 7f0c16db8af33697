// SIGINT and SIGTERM: the first asks the program to stop when it is ready (it saves first), the
// second ends it at once.
#pragma once

#include <signal.h>

namespace pare {

void catch_signals();

// The signal that came, or 0.
int caught_signal();

// While it lives, this thread gets neither signal; what comes meanwhile comes then. Around a fork:
// until it has become another program, a child would take a signal for us and forget it.
class SignalsHeldBack {
 public:
  SignalsHeldBack();
  ~SignalsHeldBack();
  SignalsHeldBack(const SignalsHeldBack&) = delete;
  SignalsHeldBack& operator=(const SignalsHeldBack&) = delete;

  // In the child: from here on a signal ends it, one that has come too. Safe between fork and exec.
  void let_go_in_child() const;

 private:
  sigset_t before_;
};

}  // namespace pare
