#include "framework/io/guarded.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <fstream>
#include <span>

#include "framework/base/error.h"

namespace pare {
namespace {

// The child's first byte: what the rest is.
enum class Answer : std::uint8_t { result = 1, data_error = 2 };

constexpr const char* kTooLittleMemory = "there is too little memory to read it";

std::uint64_t address_space() {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

bool send(int pipe, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(pipe, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

void limit(int resource, std::uint64_t value) {
  const rlimit both{value, value};
  setrlimit(static_cast<__rlimit_resource_t>(resource), &both);
}

// A second more than the soft limit: what goes beyond that ends by SIGXCPU, not by SIGKILL, which
// is left to the system when its memory is at an end.
void limit_seconds(int seconds) {
  const auto soft = static_cast<std::uint64_t>(seconds);
  const rlimit both{soft, soft + 1};
  setrlimit(RLIMIT_CPU, &both);
}

// Whether the user (ulimit -v) leaves less memory than the guard would.
bool is_tight(const Guard& guard) {
  rlimit now{};
  return getrlimit(RLIMIT_AS, &now) == 0 && now.rlim_cur != RLIM_INFINITY &&
         now.rlim_cur < address_space() + guard.memory;
}

// In the child; ends it.
[[noreturn]] void answer(int pipe, const Guard& guard,
                         const std::function<std::vector<std::byte>()>& work) {
  // It dies with its parent, and holds nothing of it open: not the lock of a run folder either.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto kept = static_cast<unsigned>(pipe);
  ::close_range(STDERR_FILENO + 1, kept - 1, 0);
  ::close_range(kept + 1, ~0u, 0);
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU})
    ::signal(signal, SIG_DFL);
  limit(RLIMIT_CORE, 0);
  limit_seconds(guard.seconds);
  limit(RLIMIT_AS, address_space() + guard.memory);
  std::vector<std::byte> bytes = {static_cast<std::byte>(Answer::result)};
  try {
    const std::vector<std::byte> result = work();
    bytes.insert(bytes.end(), result.begin(), result.end());
  } catch (const DataError& error) {
    const std::string_view message = error.what();
    bytes[0] = static_cast<std::byte>(Answer::data_error);
    bytes.insert(bytes.end(), reinterpret_cast<const std::byte*>(message.begin()),
                 reinterpret_cast<const std::byte*>(message.end()));
  } catch (...) {
    _exit(1);
  }
  _exit(send(pipe, bytes) ? 0 : 1);
}

// Everything that comes out of the pipe before the deadline and below the limit.
bool receive(int pipe, const Guard& guard, std::vector<std::byte>& bytes) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::seconds(5 * guard.seconds);
  std::byte buffer[1 << 16];
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0 || bytes.size() > guard.memory) return false;
    pollfd ready{pipe, POLLIN, 0};
    const int polled = ::poll(&ready, 1, static_cast<int>(left));
    if (polled < 0 && errno == EINTR) continue;
    if (polled <= 0) return false;
    const ssize_t count = ::read(pipe, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    if (count == 0) return true;
    bytes.insert(bytes.end(), buffer, buffer + count);
  }
}

[[noreturn]] void fail(const Guard& guard, const std::string& message) {
  if (is_tight(guard)) throw FailedError(message + ", or (ulimit -v) " + kTooLittleMemory);
  throw DataError(message);
}

}  // namespace

std::vector<std::byte> run_guarded(const Guard& guard, const std::string& what,
                                   const std::function<std::vector<std::byte>()>& work) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw FailedError(what + ": no pipe: " + strerror(errno));
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    answer(ends[1], guard, work);
  }
  ::close(ends[1]);
  if (child < 0) {
    ::close(ends[0]);
    throw FailedError(what + ": no process to read it in: " + strerror(errno));
  }
  std::vector<std::byte> bytes;
  const bool whole = receive(ends[0], guard, bytes);
  ::close(ends[0]);
  if (!whole) ::kill(child, SIGKILL);
  int status = 0;
  pid_t waited = 0;
  while ((waited = ::waitpid(child, &status, 0)) < 0 && errno == EINTR) continue;
  if (waited != child) throw FailedError(what + ": its process is lost: " + strerror(errno));
  if (whole && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
    throw FailedError(what + ": the process that read it was killed: " + kTooLittleMemory);
  if (!whole || status != 0 || bytes.empty())
    fail(guard, what + ": the HDF5 library fails on it: the file is damaged");
  const auto kind = static_cast<Answer>(bytes[0]);
  bytes.erase(bytes.begin());
  if (kind == Answer::result) return bytes;
  fail(guard, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace pare
