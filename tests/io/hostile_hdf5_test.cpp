// Files with a correct trailer whose HDF5 part was made by somebody else: whatever encode_hdf5 does
// not write is refused.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string_view>

#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/io/hdf5_handle.h"
#include "framework/io/sha256.h"
#include "tests/io/foreign_hdf5.h"

namespace pare {
namespace {

std::vector<std::byte> sealed(const std::vector<std::byte>& content) {
  ByteWriter writer;
  writer.bytes(content);
  writer.text(std::string_view("PARE-H5\x01", 8));
  writer.u64(content.size());
  writer.bytes(sha256(content));
  return writer.result();
}

std::string fault(const std::function<void(hid_t)>& build) {
  try {
    decode_hdf5(sealed(test::hdf5_file(build)), "x.h5");
  } catch (const DataError& error) {
    return error.what();
  }
  return "(accepted)";
}

TEST_CASE("a foreign file of plain datasets is accepted, so that refusals mean something") {
  CHECK(fault([](hid_t file) {
          test::create_dataset(file, "a", H5T_IEEE_F32LE, {2, 2},
                               [](hid_t list) { H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY); });
        }) == "(accepted)");
}

TEST_CASE("links, shapes, types, layouts, filters and names of no checkpoint are refused") {
  for (const test::ForeignFile& file : test::foreign_files()) {
    CHECK(fault(file.build) == std::string("x.h5: ") + file.refusal);
  }
}

TEST_CASE("a sealed file that is no HDF5 is refused") {
  const std::vector<std::byte> zeros(100);
  CHECK_THROWS_WITH_AS(decode_hdf5(sealed(zeros), "x.h5"), "x.h5: not an HDF5 file", DataError);
}

// 0: read, 1: refused, -1: crashed. In a child, because libhdf5's parser loses memory on damaged
// files, and because a crash of it must not end the tests.
int outcome_in_child(const std::vector<std::byte>& bytes) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(30);
    int outcome = 0;
    try {
      decode_hdf5(bytes, "x.h5");
    } catch (const DataError&) {
      outcome = 1;
    }
    ::_exit(outcome);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_CASE("a sealed file with changed HDF5 bytes is refused or read") {
  const NamedArray array{.name = "p/a",
                         .type = ElementType::uint8,
                         .shape = {8},
                         .bytes = std::vector<std::byte>(8, std::byte{3})};
  const auto content = hdf5::write_image({.json = "{}", .arrays = {array}});
  int refused = 0;
  for (std::size_t i = 0; i < content.size(); i += 7) {
    auto changed = content;
    changed[i] ^= std::byte{0x55};
    CAPTURE(i);
    const int outcome = outcome_in_child(sealed(changed));
    CHECK((outcome == 0 || outcome == 1));
    refused += outcome == 1;
  }
  CHECK(refused > 20);
}

}  // namespace
}  // namespace pare
