#include "apps/bench/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "framework/base/error.h"
#include "framework/base/text.h"

namespace pare::bench {
namespace {

constexpr const char* kReady = "ready ";

class Process {
 public:
  explicit Process(const WorkerCommand& command) {
    std::vector<char*> arguments;
    for (const std::string& a : command.arguments)
      arguments.push_back(const_cast<char*>(a.c_str()));
    arguments.push_back(nullptr);
    int to[2], from[2];
    if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) {
      throw FailedError("no pipe to '" + command.arguments[0] + "'");
    }
    ::signal(SIGPIPE, SIG_IGN);  // a worker that died shows when its answer is missing
    const pid_t parent = ::getpid();
    child_ = ::fork();
    if (child_ == 0) become(arguments.data(), command, to[0], from[1], parent);
    ::close(to[0]);
    ::close(from[1]);
    to_ = ::fdopen(to[1], "w");
    from_ = ::fdopen(from[0], "r");
    if (child_ < 0) throw FailedError("cannot start '" + command.arguments[0] + "'");
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    ::fclose(to_);
    ::fclose(from_);
    if (child_ > 0) ::waitpid(child_, nullptr, 0);
  }

  void write(const std::string& line) {
    ::fputs((line + "\n").c_str(), to_);
    ::fflush(to_);
  }

  // Without its end; "" where the process has ended.
  std::string read() {
    char* line = nullptr;
    std::size_t capacity = 0;
    const ssize_t length = ::getline(&line, &capacity, from_);
    std::string text(line == nullptr || length < 0 ? "" : line);
    std::free(line);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }

 private:
  [[noreturn]] static void become(char* const* arguments, const WorkerCommand& command, int in,
                                  int out, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(1);
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    for (const char* name : {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}) ::unsetenv(name);
    for (const auto& [name, value] : command.environment) {
      if (value.empty())
        ::unsetenv(name.c_str());
      else
        ::setenv(name.c_str(), value.c_str(), 1);
    }
    ::execvp(arguments[0], arguments);
    ::_exit(127);
  }

  pid_t child_ = -1;
  ::FILE *to_ = nullptr, *from_ = nullptr;
};

}  // namespace

Contender worker(const WorkerCommand& command) {
  const auto process = std::make_shared<Process>(command);
  const std::string first = process->read();
  const std::string shown = join(command.arguments, " ");
  if (!first.starts_with(kReady)) {
    throw FailedError("'" + shown + "' did not start" + (first.empty() ? "" : ": " + first));
  }
  const std::string self = first.substr(std::string(kReady).size());
  const std::size_t tab = std::min(self.find('\t'), self.size());
  return {self.substr(0, tab),
          [process, shown](double seconds, std::vector<double>& times) {
            process->write(std::to_string(seconds));
            std::istringstream answer(process->read());
            const std::size_t before = times.size();
            for (double time; answer >> time;) times.push_back(time);
            if (times.size() == before) throw FailedError("'" + shown + "' ended unexpectedly");
          },
          tab < self.size() ? self.substr(tab + 1) : ""};
}

Clock clock_for(int threads) { return threads == 1 ? Clock::processor : Clock::wall; }

void serve(const Contender& self) {
  std::cout << kReady << self.name;
  if (!self.details.empty()) std::cout << '\t' << self.details;
  std::cout << std::endl;
  for (double seconds; std::cin >> seconds;) {
    std::vector<double> times;
    self.turn(seconds, times);
    for (const double time : times) std::cout << time << ' ';
    std::cout << std::endl;
  }
}

std::string own_program() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

}  // namespace pare::bench
