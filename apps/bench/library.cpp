#include "apps/bench/library.h"

#include <dlfcn.h>

#include "apps/bench/peers.h"
#include "framework/base/error.h"

namespace pare::bench {

Library::Library(const std::string& prefix) : path_(find_peer_file(prefix)), handle_(nullptr) {
  if (path_.empty()) path_ = prefix;
  handle_ = dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ == nullptr) {
    throw FailedError(prefix + " is neither in $PARE_PEERS nor on this system");
  }
}

void* Library::symbol(const char* name) const {
  void* found = dlsym(handle_, name);
  if (found == nullptr) throw FailedError(path_ + " has no function " + name);
  return found;
}

}  // namespace pare::bench
