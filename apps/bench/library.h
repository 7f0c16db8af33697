// A shared library of another project, opened when it is needed and never closed: such libraries
// have threads and destructors of their own.
#pragma once

#include <string>

namespace pare::bench {

class Library {
 public:
  // Looks for a file of $PARE_PEERS that starts with `prefix`, then lets the system look for
  // `prefix`. Throws FailedError.
  explicit Library(const std::string& prefix);

  // The function of that name. Throws FailedError where there is none.
  template <class Function>
  Function* function(const char* name) const {
    return reinterpret_cast<Function*>(symbol(name));
  }

 private:
  void* symbol(const char* name) const;

  std::string path_;
  void* handle_;
};

}  // namespace pare::bench
