// Child: one process of `train`. It has a process group of its own, so that Ctrl-C reaches it once,
// through us; and the kernel asks it to stop (SIGTERM, it saves) when we die.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace pare {

class Child {
 public:
  // Starts `program` with stdout going nowhere and stderr into a file. Throws FailedError.
  Child(const std::string& program, const std::vector<std::string>& arguments,
        const std::string& stderr_path);

  // The exit code once it has ended (128 + signal where one killed it), nothing before.
  std::optional<int> ended();
  void send(int signal) const;

 private:
  pid_t pid_;
};

// A program of ours: beside the one that is running. Throws FailedError where it is not there.
std::string sibling_program(const std::string& name);

}  // namespace pare
