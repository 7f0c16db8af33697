#include "framework/base/append_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "framework/base/error.h"

namespace pare {
namespace {

[[noreturn]] void fail(const std::string& path, const char* what, int error) {
  throw FailedError("'" + path + "' cannot be " + what + ": " + std::strerror(error));
}

}  // namespace

AppendFile::AppendFile(std::string path) : path_(std::move(path)) {
  descriptor_ = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(path_, "opened", errno);
}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

// Half an entry would hide what comes behind it from readers.
void AppendFile::append(std::span<const std::byte> bytes) {
  const off_t before = lseek(descriptor_, 0, SEEK_END);
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      [[maybe_unused]] const int cut = ftruncate(descriptor_, before);
      fail(path_, "written", error);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AppendFile::sync() {
  if (fsync(descriptor_) != 0) fail(path_, "written", errno);
}

}  // namespace pare
