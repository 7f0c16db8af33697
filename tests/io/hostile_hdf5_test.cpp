// Files with a correct trailer whose HDF5 part was made by somebody else: whatever encode_hdf5 does
// not write is refused.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string_view>

#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/base/hash.h"
#include "framework/io/hdf5_handle.h"

namespace pare {
namespace {

using hdf5::Handle;

std::vector<std::byte> sealed(const std::vector<std::byte>& content) {
  ByteWriter writer;
  writer.bytes(content);
  writer.text(std::string_view("PARE-H5\x01", 8));
  writer.u64(content.size());
  writer.bytes(sha256(content));
  return writer.result();
}

// A file with a proper "json" and whatever `build` adds.
std::vector<std::byte> hostile(const std::function<void(hid_t)>& build) {
  const auto lock = hdf5::lock_library();
  const Handle access = hdf5::memory_access();
  const Handle file(H5Fcreate(hdf5::kNoFile, H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose);
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), 2);
  H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
  const Handle scalar(H5Screate(H5S_SCALAR), H5Sclose);
  const Handle json(H5Dcreate2(file.get(), "json", type.get(), scalar.get(), H5P_DEFAULT,
                               H5P_DEFAULT, H5P_DEFAULT),
                    H5Dclose);
  H5Dwrite(json.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, "{}");
  build(file.get());
  H5Fflush(file.get(), H5F_SCOPE_GLOBAL);
  std::vector<std::byte> bytes(static_cast<std::size_t>(H5Fget_file_image(file.get(), nullptr, 0)));
  REQUIRE(H5Fget_file_image(file.get(), bytes.data(), bytes.size()) > 0);
  return sealed(bytes);
}

std::string fault(const std::function<void(hid_t)>& build) {
  try {
    decode_hdf5(hostile(build), "x.h5");
  } catch (const DataError& error) {
    return error.what();
  }
  return "(accepted)";
}

void create(hid_t file, const char* name, hid_t type, std::vector<hsize_t> shape,
            const std::function<void(hid_t)>& properties) {
  const Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                     H5Sclose);
  const Handle list(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  properties(list.get());
  const Handle dataset(
      H5Dcreate2(file, name, type, space.get(), H5P_DEFAULT, list.get(), H5P_DEFAULT), H5Dclose);
  REQUIRE(dataset.valid());
}

const auto kPlain = [](hid_t) {};

TEST_CASE(
    "a foreign file of plain datasets is accepted, so that the refusals below mean something") {
  CHECK(fault([](hid_t file) {
          create(file, "a", H5T_IEEE_F32LE, {2, 2},
                 [](hid_t list) { H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY); });
        }) == "(accepted)");
}

TEST_CASE("data outside the file are refused") {
  CHECK(fault([](hid_t file) {
          create(file, "a", H5T_STD_U8LE, {64},
                 [](hid_t list) { H5Pset_external(list, "/etc/passwd", 0, 64); });
        }) == "x.h5: 'a' keeps its data in another file");
  CHECK(fault([](hid_t file) {
          H5Lcreate_external("/etc/passwd", "/a", file, "a", H5P_DEFAULT, H5P_DEFAULT);
        }) == "x.h5: 'a' leads elsewhere (a soft or external link)");
  CHECK(fault([](hid_t file) {
          create(file, "a", H5T_STD_U8LE, {4}, [](hid_t list) {
            const hsize_t four = 4;
            const Handle space(H5Screate_simple(1, &four, nullptr), H5Sclose);
            H5Pset_virtual(list, space.get(), "other.h5", "a", space.get());
          });
        }) == "x.h5: 'a' is stored as no checkpoint is (compact or virtual)");
}

TEST_CASE("soft links, nested groups and named types are refused") {
  CHECK(fault([](hid_t file) { H5Lcreate_soft("/json", file, "a", H5P_DEFAULT, H5P_DEFAULT); }) ==
        "x.h5: 'a' leads elsewhere (a soft or external link)");
  CHECK(fault([](hid_t file) {
          const Handle outer(H5Gcreate2(file, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                             H5Gclose);
          H5Lcreate_hard(file, "/", outer.get(), "loop", H5P_DEFAULT, H5P_DEFAULT);
        }) == "x.h5: 'g/loop' is no dataset of a checkpoint");
  CHECK(fault([](hid_t file) {
          const Handle type(H5Tcopy(H5T_NATIVE_INT), H5Tclose);
          H5Tcommit2(file, "t", type.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        }) == "x.h5: 't' is no dataset of a checkpoint");
}

TEST_CASE("shapes that promise more than the file holds are refused") {
  CHECK(fault([](hid_t file) { create(file, "a", H5T_IEEE_F32LE, {1ull << 40}, kPlain); }) ==
        "x.h5: 'a' is larger than the file");
  CHECK(fault([](hid_t file) {
          create(file, "a", H5T_IEEE_F32LE, {1ull << 31, 1ull << 28}, kPlain);
        }) == "x.h5: 'a' is larger than the file");
  CHECK(fault([](hid_t file) {
          create(file, "a", H5T_IEEE_F32LE, {1ull << 20}, [](hid_t list) {
            const hsize_t chunk = 1 << 20;
            H5Pset_chunk(list, 1, &chunk);
          });
        }) == "x.h5: 'a' is larger than the file");
  CHECK(fault([](hid_t file) {
          create(file, "a", H5T_IEEE_F32LE, {1, 1, 1, 1, 1}, kPlain);
        }) == "x.h5: 'a' has a shape that no checkpoint has");
}

TEST_CASE("many links to one dataset do not multiply memory") {
  CHECK(fault([](hid_t file) {
          create(file, "a0", H5T_STD_U8LE, {100'000},
                 [](hid_t list) { H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY); });
          for (const char* name : {"a1", "a2", "a3"}) {
            H5Lcreate_hard(file, "a0", file, name, H5P_DEFAULT, H5P_DEFAULT);
          }
        }) == "x.h5: 'a1' is larger than the file");
}

TEST_CASE("other types, layouts, filters and names are refused") {
  CHECK(fault([](hid_t file) { create(file, "a", H5T_IEEE_F32BE, {2}, kPlain); }) ==
        "x.h5: 'a' has elements of a type that no checkpoint has");
  CHECK(fault([](hid_t file) {
          create(file, "a", H5T_IEEE_F32LE, {2},
                 [](hid_t list) { H5Pset_layout(list, H5D_COMPACT); });
        }) == "x.h5: 'a' is stored as no checkpoint is (compact or virtual)");
  CHECK(fault([](hid_t file) {
          create(file, "a", H5T_IEEE_F32LE, {8}, [](hid_t list) {
            const hsize_t chunk = 8;
            H5Pset_chunk(list, 1, &chunk);
            H5Pset_deflate(list, 9);
          });
        }) == "x.h5: 'a' is compressed or encoded, which no checkpoint is");
  CHECK(fault([](hid_t file) {
          create(file, "a", H5T_IEEE_F32LE, {8}, [](hid_t list) {
            const hsize_t chunk = 4;
            H5Pset_chunk(list, 1, &chunk);
          });
        }) == "x.h5: 'a' is cut into pieces, which no checkpoint is");
  CHECK(fault([](hid_t file) { create(file, "a%zz", H5T_IEEE_F32LE, {0}, kPlain); }) ==
        "x.h5: 'a%zz' has a name that no checkpoint has");
}

TEST_CASE("a sealed file that is no HDF5, or has no json, is refused") {
  const std::vector<std::byte> zeros(100);
  CHECK_THROWS_WITH_AS(decode_hdf5(sealed(zeros), "x.h5"), "x.h5: not an HDF5 file", DataError);
  CHECK(fault([](hid_t file) { H5Ldelete(file, "json", H5P_DEFAULT); }) ==
        "x.h5: expected a dataset 'json'");
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
