#include "apps/lib/signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace pare {
namespace {

constexpr int kStopping[] = {SIGINT, SIGTERM};

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
  for (const int signal : kStopping) sigaction(signal, &action, nullptr);
}

int caught_signal() { return caught; }

SignalsHeldBack::SignalsHeldBack() {
  sigset_t held;
  sigemptyset(&held);
  for (const int signal : kStopping) sigaddset(&held, signal);
  pthread_sigmask(SIG_BLOCK, &held, &before_);
}

SignalsHeldBack::~SignalsHeldBack() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

void SignalsHeldBack::let_go_in_child() const {
  for (const int number : kStopping) {
    struct sigaction action {};
    sigaction(number, nullptr, &action);
    if (action.sa_handler != handle) continue;  // ignored ones stay ignored
    action = {};
    action.sa_handler = SIG_DFL;
    sigaction(number, &action, nullptr);
  }
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace pare
