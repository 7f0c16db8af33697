// Whole-file reads and writes over POSIX calls: interrupted and short transfers are continued,
// every failure ends in a message with path and reason, and a reader never sees a half-written
// file. What is promised after power loss is what fsync promises: the bytes are on disk before the
// name points to them.
#include "framework/base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "framework/base/error.h"

namespace pare {
namespace {

// The part of "<path>: cannot <action>: <reason>" that errno knows.
std::string reason(int error) { return std::strerror(error); }

// The same with what to try, where something helps.
std::string reason_to_write(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return reason(error) + "; make room there";
    case EFBIG:
      return reason(error) + "; raise the limit on the size of files (ulimit -f)";
    case EACCES:
    case EPERM:
    case EROFS:
      return reason(error) + "; allow writing there, or write elsewhere";
    default:
      return reason(error);
  }
}

[[noreturn]] void cannot_read(const std::string& path, const std::string& why) {
  throw DataError(path + ": cannot read: " + why);
}
// What the file holds is not known then: it may be whole.
[[noreturn]] void cannot_read(const std::string& path, int error) {
  switch (error) {
    case EACCES:
    case EPERM:
    case EIO:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      throw FailedError(path + ": cannot read: " + reason(error));
    default:
      cannot_read(path, reason(error));
  }
}
[[noreturn]] void cannot_write(const std::string& path, const std::string& why) {
  throw FailedError(path + ": cannot write: " + why);
}

// Beyond a zero byte the system would not see the rest of the name, and open another file.
bool is_path(const std::string& path) { return path.find('\0') == std::string::npos; }

class FileHandle {
 public:
  explicit FileHandle(int descriptor) : descriptor_(descriptor) {}
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  ~FileHandle() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }
  // close() may be the first to report a full disk (NFS, quotas), so writers call it and look.
  bool close() { return ::close(std::exchange(descriptor_, -1)) == 0; }

 private:
  int descriptor_;
};

struct SplitPath {
  std::string folder;  // never empty
  std::string name;
};

SplitPath split(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

// 0 or the errno of the first failure.
int write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return EIO;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return 0;
}

int write_and_sync(const std::string& path, std::span<const std::byte> bytes) {
  FileHandle file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (file.get() < 0) return errno;
  if (const int error = write_all(file.get(), bytes)) return error;
  if (::fsync(file.get()) != 0) return errno;
  return file.close() ? 0 : errno;
}

// The rename itself lives in the folder. File systems that cannot sync a folder say EINVAL; that is
// no loss of data.
int sync_folder(const std::string& folder) {
  FileHandle handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.get() < 0) return errno;
  return ::fsync(handle.get()) == 0 || errno == EINVAL ? 0 : errno;
}

// Of a file that is there.
int sync_file(const std::string& path) {
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0) return errno;
  return ::fsync(file.get()) == 0 ? 0 : errno;
}

// The process that writes the temporary file of one of the names; nothing where it is none.
std::optional<pid_t> writer_of(const std::string& temporary, std::span<const std::string> names) {
  for (const std::string& name : names) {
    const std::string beginning = "." + name + ".tmp.";
    if (!temporary.starts_with(beginning)) continue;
    pid_t process = 0;
    const char* end = temporary.data() + temporary.size();
    const auto read = std::from_chars(temporary.data() + beginning.size(), end, process);
    if (read.ec == std::errc() && read.ptr == end && process > 0) return process;
  }
  return std::nullopt;
}

bool is_running(pid_t process) {
  return process != ::getpid() && (::kill(process, 0) == 0 || errno != ESRCH);
}

}  // namespace

std::vector<std::byte> read_file(const std::string& path, std::uint64_t limit) {
  if (!is_path(path)) cannot_read(path, "a path has no zero bytes");
  // O_NONBLOCK: opening a FIFO must not wait for a writer before we can refuse it.
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) cannot_read(path, errno);
  if (!S_ISREG(info.st_mode)) cannot_read(path, "not a regular file");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > limit) {
    cannot_read(path, "it has " + std::to_string(size) + " bytes, more than the " +
                          std::to_string(limit) + " allowed here");
  }
  std::vector<std::byte> bytes(size);
  std::uint64_t filled = 0;
  while (filled < size) {
    const ssize_t count = ::read(file.get(), bytes.data() + filled, size - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) cannot_read(path, errno);
    if (count == 0) cannot_read(path, "it became shorter while it was read");
    filled += static_cast<std::uint64_t>(count);
  }
  return bytes;
}

void write_file_atomically(const std::string& path, std::span<const std::byte> bytes) {
  if (!is_path(path)) cannot_write(path, "a path has no zero bytes");
  const SplitPath target = split(path);
  if (target.name.empty()) cannot_write(path, "not a file name");
  const std::string temporary =
      target.folder + "/." + target.name + ".tmp." + std::to_string(::getpid());
  int error = write_and_sync(temporary, bytes);
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    cannot_write(path, reason_to_write(error));
  }
  if (const int unsynced = sync_folder(target.folder))
    cannot_write(path, reason_to_write(unsynced));
}

void write_file_atomically(const std::string& path, std::string_view text) {
  write_file_atomically(path, std::as_bytes(std::span(text)));
}

void move_file_atomically(const std::string& from, const std::string& to) {
  int error = sync_file(from);
  if (error == 0 && ::rename(from.c_str(), to.c_str()) != 0) error = errno;
  if (error == 0) error = sync_folder(split(to).folder);
  if (error != 0) cannot_write(to, reason_to_write(error));
}

void remove_temporary_files(const std::string& folder, std::span<const std::string> names,
                            OtherWriters writers) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  for (fs::directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored)) {
    const std::optional<pid_t> writer = writer_of(entry->path().filename().string(), names);
    if (!writer || entry->symlink_status(ignored).type() != fs::file_type::regular) continue;
    if (writers == OtherWriters::some && is_running(*writer)) continue;
    fs::remove(entry->path(), ignored);
  }
}

std::span<const std::byte> ByteReader::bytes(std::uint64_t count) {
  if (count > remaining()) {
    fail("expected " + std::to_string(count) + " more bytes, got " + std::to_string(remaining()));
  }
  const auto part = bytes_.subspan(offset_, count);
  offset_ += count;
  return part;
}

std::uint8_t ByteReader::u8() { return std::to_integer<std::uint8_t>(bytes(1)[0]); }

std::uint16_t ByteReader::u16() {
  const auto b = bytes(2);
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(b[0]) |
                                    std::to_integer<unsigned>(b[1]) << 8);
}

std::uint32_t ByteReader::u32() {
  const auto b = bytes(4);
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | std::to_integer<std::uint32_t>(b[i]);
  return value;
}

std::uint32_t ByteReader::u32_big_endian() {
  const auto b = bytes(4);
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(b[i]);
  return value;
}

std::uint64_t ByteReader::u64() {
  const auto b = bytes(8);
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | std::to_integer<std::uint64_t>(b[i]);
  return value;
}

std::string ByteReader::text(std::uint64_t length) {
  const auto b = bytes(length);
  return std::string(reinterpret_cast<const char*>(b.data()), b.size());
}

void ByteReader::fail(const std::string& message) const {
  throw DataError(what_ + ": " + message + " (at byte " + std::to_string(offset_) + ")");
}

void ByteReader::expect_end() const {
  if (remaining() != 0) {
    fail("expected the end of the data, got " + std::to_string(remaining()) + " more bytes");
  }
}

void ByteWriter::u8(std::uint8_t value) { bytes_.push_back(static_cast<std::byte>(value)); }

void ByteWriter::u16(std::uint16_t value) {
  for (int i = 0; i < 2; ++i) u8(static_cast<std::uint8_t>(value >> (8 * i)));
}

void ByteWriter::u32(std::uint32_t value) {
  for (int i = 0; i < 4; ++i) u8(static_cast<std::uint8_t>(value >> (8 * i)));
}

void ByteWriter::u64(std::uint64_t value) {
  for (int i = 0; i < 8; ++i) u8(static_cast<std::uint8_t>(value >> (8 * i)));
}

void ByteWriter::bytes(std::span<const std::byte> values) {
  bytes_.insert(bytes_.end(), values.begin(), values.end());
}

}  // namespace pare
