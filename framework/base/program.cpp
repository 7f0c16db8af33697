#include "framework/base/program.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>

#include "framework/base/error.h"

namespace pare {
namespace {

constexpr const char* kOutOfMemory =
    "out of memory; what was written before stays whole (train --resume goes on from a checkpoint; "
    "dataset.batch_size decides most of what training needs)";

int failed(ExitCode code, const char* kind, const char* message) {
  std::fprintf(stderr, "%s: %s\n", kind, message);
  return static_cast<int>(code);
}

}  // namespace

int run_main(const std::function<int()>& run) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);
  try {
    return run();
  } catch (const Error& error) {
    return failed(error.code(), "error", error.what());
  } catch (const std::bad_alloc&) {
    // At once: OpenBLAS's thread may be waiting for memory, and an ordinary exit waits for it.
    _exit(failed(ExitCode::failed, "error", kOutOfMemory));
  } catch (const std::exception& error) {
    return failed(ExitCode::failed, "internal error", error.what());
  }
}

void print(const std::string& text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written) throw FailedError(std::string("cannot write to stdout: ") + std::strerror(errno));
}

}  // namespace pare
