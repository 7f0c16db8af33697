#include "apps/lib/experiment/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "apps/lib/signals.h"
#include "framework/base/error.h"

namespace pare {
namespace {

constexpr int kNotStarted = 127;  // as a shell says it

bool redirect(const char* path, int flags, int descriptor) {
  const int file = open(path, flags, 0666);
  if (file < 0 || dup2(file, descriptor) < 0) return false;
  return file == descriptor || close(file) == 0;
}

// Between fork and exec only calls that are safe there.
[[noreturn]] void become(pid_t parent, const char* program, char* const* arguments,
                         const char* stderr_path, const SignalsHeldBack& signals) {
  setpgid(0, 0);
  signals.let_go_in_child();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  const bool ready = getppid() == parent &&  // or it died before it could be noticed
                     redirect("/dev/null", O_RDONLY, STDIN_FILENO) &&
                     redirect("/dev/null", O_WRONLY, STDOUT_FILENO) &&
                     redirect(stderr_path, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO);
  if (ready) execv(program, arguments);
  _exit(kNotStarted);
}

}  // namespace

Child::Child(const std::string& program, const std::vector<std::string>& arguments,
             const std::string& stderr_path) {
  std::vector<char*> pointers = {const_cast<char*>(program.c_str())};  // execv's C signature
  for (const std::string& argument : arguments)
    pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  const pid_t parent = getpid();
  const SignalsHeldBack signals;
  pid_ = fork();
  if (pid_ == 0) become(parent, program.c_str(), pointers.data(), stderr_path.c_str(), signals);
  if (pid_ < 0) throw FailedError(std::string("a run cannot be started: ") + std::strerror(errno));
}

std::optional<int> Child::ended() {
  int status = 0;
  const pid_t result = waitpid(pid_, &status, WNOHANG);
  if (result == 0 || (result < 0 && errno == EINTR)) return std::nullopt;
  PARE_ENSURE(result == pid_);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Child::send(int signal) const { kill(pid_, signal); }

std::string sibling_program(const std::string& name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string path = (self.parent_path() / name).string();
  if (error || access(path.c_str(), X_OK) != 0)
    throw FailedError("the program '" + path + "' is not there; ./pare build makes it");
  return path;
}

}  // namespace pare
