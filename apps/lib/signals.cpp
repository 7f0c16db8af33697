#include "apps/lib/signals.h"

#include <signal.h>
#include <unistd.h>

#include <csignal>

namespace pare {
namespace {

// The one thing a handler may write; a signal belongs to the process, so there can be only one.
volatile std::sig_atomic_t caught = 0;

void handle(int signal) {
  if (caught) _exit(128 + signal);
  caught = signal;
}

}  // namespace

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = handle;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int caught_signal() { return caught; }

}  // namespace pare
