// Files: whole reads with a limit, a bounds-checked reader over bytes, and writes that are never
// seen half done.
//
// Nothing else in the project opens a file for reading untrusted bytes or for writing results.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pare {

// The whole file. Throws DataError (with the path and the reason) where it is missing, not a
// regular file, or larger than `limit` bytes; FailedError where the system does not let us read it
// now (no permission, an input/output error, too little memory, too many open files): it may be
// whole.
std::vector<std::byte> read_file(const std::string& path, std::uint64_t limit);

// Replaces `path` by `bytes`, or leaves it untouched: temporary file in the same folder, write,
// fsync, rename, fsync of the folder. Throws FailedError that names path and reason (full disk,
// read-only folder, ...); the temporary file is removed then.
void write_file_atomically(const std::string& path, std::span<const std::byte> bytes);
void write_file_atomically(const std::string& path, std::string_view text);

// Gives a file that another program wrote its place, on the same file system: fsync, rename, fsync
// of the folder. Throws FailedError as write_file_atomically() does.
void move_file_atomically(const std::string& from, const std::string& to);

// Removes from `folder` the temporary files that write_file_atomically() left there for files of
// these names when its process was killed: regular files called ".NAME.tmp.DIGITS", nothing else.
// `writers`: whether other processes may be writing there now; files of those that run stay.
enum class OtherWriters { none, some };
void remove_temporary_files(const std::string& folder, std::span<const std::string> names,
                            OtherWriters writers);

// Reads values from bytes that may be hostile. Every read checks the bounds and throws DataError
// with `what` (the file's name) and the offset. Little-endian unless the name says otherwise.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string what)
      : bytes_(bytes), what_(std::move(what)) {}

  std::uint64_t offset() const { return offset_; }
  std::uint64_t remaining() const { return bytes_.size() - offset_; }

  std::uint8_t u8();
  std::uint16_t u16();
  std::uint32_t u32();
  std::uint32_t u32_big_endian();
  std::uint64_t u64();
  std::int32_t i32() { return static_cast<std::int32_t>(u32()); }
  std::span<const std::byte> bytes(std::uint64_t count);
  std::string text(std::uint64_t length);

  // Throws DataError: "<what>: <message> (at byte <offset>)".
  [[noreturn]] void fail(const std::string& message) const;
  // Throws unless everything was read.
  void expect_end() const;

 private:
  std::span<const std::byte> bytes_;
  std::string what_;
  std::uint64_t offset_ = 0;
};

// The mirror image: appends little-endian values.
class ByteWriter {
 public:
  void u8(std::uint8_t value);
  void u16(std::uint16_t value);
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  void i32(std::int32_t value) { u32(static_cast<std::uint32_t>(value)); }
  void bytes(std::span<const std::byte> values);
  void text(std::string_view value) { bytes(std::as_bytes(std::span(value))); }
  const std::vector<std::byte>& result() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace pare
