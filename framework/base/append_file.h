// A file that grows at its end and is never seen with half an entry in the middle.
//
// For logs of a run (events, telemetry) that are too long to be replaced whole each time. What is
// appended is there for other readers at once; a process that is killed may leave half an entry at
// the end, so the reader of such a file must know how to tell (a checksum, a newline).
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace pare {

class AppendFile {
 public:
  // Opens the file, or begins an empty one. Throws FailedError that names path and reason.
  explicit AppendFile(std::string path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  // All of it or nothing: what could be written in part only (a full disk) is taken back. Throws
  // FailedError.
  void append(std::span<const std::byte> bytes);
  // Waits until what was appended is on the disk. Throws FailedError.
  void sync();

 private:
  std::string path_;
  int descriptor_ = -1;
};

}  // namespace pare
