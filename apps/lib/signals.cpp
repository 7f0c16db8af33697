#include "apps/lib/signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace pare {
namespace {

// A signal belongs to the process, so there can be only one. Any thread may run the handler, those
// of BLAS too, which sig_atomic_t is not made for; an atomic without a lock may be used in one.
std::atomic<int> caught = 0;
static_assert(std::atomic<int>::is_always_lock_free);

void handle(int signal) {
  int none = 0;
  if (!caught.compare_exchange_strong(none, signal)) _exit(128 + signal);
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
