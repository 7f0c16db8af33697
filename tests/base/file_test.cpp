#include "framework/base/file.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <filesystem>

#include "framework/base/error.h"

namespace pare {
namespace {

namespace fs = std::filesystem;

// A folder of its own that goes away with the test.
struct Scratch {
  fs::path folder = fs::temp_directory_path() / ("pare_file_test_" + std::to_string(::getpid()));
  Scratch() { fs::create_directories(folder); }
  ~Scratch() { fs::remove_all(folder); }
  std::string operator/(const std::string& name) const { return (folder / name).string(); }
  long entries() const {
    return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
  }
};

std::string text_of(const std::vector<std::byte>& bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

TEST_CASE("what was written is read back, and replacing leaves no temporary file") {
  const Scratch scratch;
  write_file_atomically(scratch / "a", "first");
  write_file_atomically(scratch / "a", "second");
  CHECK(text_of(read_file(scratch / "a", 100)) == "second");
  write_file_atomically(scratch / "empty", "");
  CHECK(read_file(scratch / "empty", 0).empty());
  CHECK(scratch.entries() == 2);
}

TEST_CASE("a file with no folder in its name goes to the current folder") {
  const Scratch scratch;
  const fs::path before = fs::current_path();
  fs::current_path(scratch.folder);
  write_file_atomically("plain", "x");
  CHECK(text_of(read_file("plain", 1)) == "x");
  fs::current_path(before);
}

TEST_CASE("what cannot be read is a DataError that names path and reason") {
  const Scratch scratch;
  CHECK_THROWS_WITH_AS(read_file(scratch / "none", 9),
                       ((scratch / "none") + ": cannot read: No such file or directory").c_str(),
                       DataError);
  CHECK_THROWS_WITH_AS(read_file(scratch.folder.string(), 9),
                       (scratch.folder.string() + ": cannot read: not a regular file").c_str(),
                       DataError);
  write_file_atomically(scratch / "big", "0123456789");
  CHECK_THROWS_WITH_AS(
      read_file(scratch / "big", 9),
      ((scratch / "big") + ": cannot read: it has 10 bytes, more than the 9 allowed here").c_str(),
      DataError);
  REQUIRE(::mkfifo((scratch / "pipe").c_str(), 0600) == 0);
  CHECK_THROWS_AS(read_file(scratch / "pipe", 9), DataError);
  CHECK_THROWS_AS(read_file((scratch / "big") + std::string(1, '\0') + "x", 99), DataError);
}

TEST_CASE("what the system does not let us read is a FailedError: the file may be whole") {
  const Scratch scratch;
  write_file_atomically(scratch / "good", "x");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  std::exception_ptr thrown;  // looked at later: sanitizers need files to look at an object
  try {
    read_file(scratch / "good", 9);
  } catch (...) {
    thrown = std::current_exception();
  }
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE(thrown);
  CHECK_THROWS_WITH_AS(std::rethrow_exception(thrown),
                       ((scratch / "good") + ": cannot read: Too many open files").c_str(),
                       FailedError);
  CHECK(text_of(read_file(scratch / "good", 9)) == "x");
}

TEST_CASE("what cannot be written is a FailedError") {
  const Scratch scratch;
  CHECK_THROWS_WITH_AS(
      write_file_atomically(scratch / "no/such", "x"),
      ((scratch / "no/such") + ": cannot write: No such file or directory").c_str(), FailedError);
  CHECK_THROWS_AS(write_file_atomically(scratch / "", "x"), FailedError);
  fs::create_directory(scratch.folder / "taken");
  CHECK_THROWS_AS(write_file_atomically(scratch / "taken", "x"), FailedError);
  CHECK(scratch.entries() == 1);
}

TEST_CASE("a write that fails half way keeps the old file and removes the temporary one") {
  const Scratch scratch;
  write_file_atomically(scratch / "a", "old");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1000, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  CHECK_THROWS_AS(write_file_atomically(scratch / "a", std::string(5000, 'x')), FailedError);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  CHECK(text_of(read_file(scratch / "a", 100)) == "old");
  CHECK(scratch.entries() == 1);
}

TEST_CASE("the byte reader mirrors the byte writer") {
  ByteWriter writer;
  writer.u8(0xAB);
  writer.u16(0x1234);
  writer.u32(0xDEADBEEF);
  writer.u64(0x0123456789ABCDEFull);
  writer.i32(-2);
  writer.text("text");
  CHECK(writer.result()[1] == std::byte{0x34});  // little-endian
  ByteReader reader(writer.result(), "test");
  CHECK(reader.u8() == 0xAB);
  CHECK(reader.u16() == 0x1234);
  CHECK(reader.u32() == 0xDEADBEEF);
  CHECK(reader.u64() == 0x0123456789ABCDEFull);
  CHECK(reader.i32() == -2);
  CHECK(reader.text(4) == "text");
  reader.expect_end();
  ByteReader big(writer.result(), "test");
  CHECK(big.u32_big_endian() == 0xAB3412EF);
}

TEST_CASE("the byte reader refuses to leave its bytes and says where") {
  const std::vector<std::byte> bytes(6);
  ByteReader reader(bytes, "model.pare");
  reader.u32();
  CHECK_THROWS_WITH_AS(reader.u32(), "model.pare: expected 4 more bytes, got 2 (at byte 4)",
                       DataError);
  CHECK_THROWS_AS(reader.bytes(~std::uint64_t{0}), DataError);
  CHECK_THROWS_WITH_AS(reader.expect_end(),
                       "model.pare: expected the end of the data, got 2 more bytes (at byte 4)",
                       DataError);
  CHECK(reader.remaining() == 2);
}

}  // namespace
}  // namespace pare
