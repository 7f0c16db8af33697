// The container against itself, against damage, and against files made with the HDF5 library that
// it must not trust.
#include "framework/io/hdf5_image.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "framework/base/error.h"
#include "framework/base/file.h"

namespace pare {
namespace {

NamedArray array(std::string name, ElementType type, std::vector<std::int64_t> shape) {
  std::int64_t bytes = static_cast<std::int64_t>(size_of(type));
  for (const std::int64_t dimension : shape) bytes *= dimension;
  NamedArray result{.name = std::move(name), .type = type, .shape = std::move(shape), .bytes = {}};
  for (std::int64_t i = 0; i < bytes; ++i) {
    result.bytes.push_back(static_cast<std::byte>(i * 37 + 11));
  }
  return result;
}

Hdf5Image small_image() {
  return {.json = R"({"step": 7, "name": "ä"})",
          .arrays = {array("masks/conv1.weight", ElementType::uint8, {2, 3, 3, 1}),
                     array("parameters/conv1.weight", ElementType::float32, {2, 3, 3, 1}),
                     array("parameters/conv1.weight/lsq.step", ElementType::float32, {}),
                     array("rng", ElementType::int64, {4}),
                     array("scales", ElementType::float64, {3, 2, 2}),
                     array("steps", ElementType::int32, {5})}};
}

std::string fault(std::span<const std::byte> bytes) {
  try {
    decode_hdf5(bytes, "last.h5");
  } catch (const DataError& error) {
    return error.what();
  }
  return "(no DataError)";
}

TEST_CASE("an image comes back as it was, arrays sorted by name") {
  Hdf5Image image = small_image();
  CHECK(decode_hdf5(encode_hdf5(image), "x") == image);
  std::swap(image.arrays.front(), image.arrays.back());
  CHECK(decode_hdf5(encode_hdf5(image), "x") == small_image());
  CHECK(encode_hdf5(image) == encode_hdf5(small_image()));
}

TEST_CASE("empty arrays, empty text and no arrays come back") {
  const Hdf5Image image{.json = "",
                        .arrays = {array("a/empty", ElementType::float32, {0}),
                                   array("a/flat", ElementType::int64, {3, 0, 2})}};
  CHECK(decode_hdf5(encode_hdf5(image), "x") == image);
  const Hdf5Image nothing;
  CHECK(decode_hdf5(encode_hdf5(nothing), "x") == nothing);
}

TEST_CASE("names may begin with other names and hold what links cannot") {
  Hdf5Image image;
  for (const char* name :
       {"%", "a", "b/..", "b/a", "b/a/c", "b/a/c/d", "b/a:c", "b/a%3A", "b/\n", "ä/ö"}) {
    image.arrays.push_back(array(name, ElementType::int32, {2}));
  }
  const Hdf5Image back = decode_hdf5(encode_hdf5(image), "x");
  REQUIRE(back.arrays.size() == image.arrays.size());
  for (const NamedArray& one : image.arrays) {
    CAPTURE(one.name);
    CHECK(std::find(back.arrays.begin(), back.arrays.end(), one) != back.arrays.end());
  }
}

TEST_CASE("a thousand arrays come back") {
  Hdf5Image image;
  for (int i = 1000; i < 2000; ++i) {
    image.arrays.push_back(array("p/" + std::to_string(i), ElementType::float32, {i % 7, 3}));
  }
  CHECK(decode_hdf5(encode_hdf5(image), "x") == image);
}

TEST_CASE("bad arrays are our own mistake") {
  Hdf5Image image;
  image.arrays = {array("a", ElementType::int32, {2}), array("a", ElementType::int32, {2})};
  CHECK_THROWS_AS(encode_hdf5(image), std::logic_error);
  image.arrays = {array("json", ElementType::int32, {2})};
  CHECK_THROWS_AS(encode_hdf5(image), std::logic_error);
  image.arrays = {array("a", ElementType::int32, {2})};
  image.arrays[0].shape = {3};
  CHECK_THROWS_AS(encode_hdf5(image), std::logic_error);
  image.arrays = {array("a", ElementType::int32, {1, 1, 1, 1, 1})};
  CHECK_THROWS_AS(encode_hdf5(image), std::logic_error);
}

TEST_CASE("equal content gives equal bytes a second later") {
  const auto first = encode_hdf5(small_image());
  ::usleep(1'100'000);
  CHECK(encode_hdf5(small_image()) == first);
}

TEST_CASE("every truncation is refused, and says how much is there") {
  const auto bytes = encode_hdf5(small_image());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(decode_hdf5(std::span(bytes).first(length), "x"), DataError);
  }
  CHECK(fault(std::span(bytes).first(1000)) == "last.h5: it has 1000 of " +
                                                   std::to_string(bytes.size()) +
                                                   " bytes (an incomplete copy or download?)");
  CHECK(fault(std::span(bytes).first(10)) == "last.h5: 10 bytes are too few for a checkpoint");
}

TEST_CASE("every changed byte is refused") {
  auto bytes = encode_hdf5(small_image());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::byte before = bytes[i];
    for (const int change : {0x01, 0x80, 0xFF}) {
      bytes[i] = before ^ static_cast<std::byte>(change);
      CHECK_THROWS_AS(decode_hdf5(bytes, "x"), DataError);
    }
    bytes[i] = before;
  }
  auto longer = bytes;
  longer.push_back(std::byte{0});
  CHECK_THROWS_AS(decode_hdf5(longer, "x"), DataError);
}

TEST_CASE("saved files are loaded, and failures name the path") {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("pare_hdf5_image_test_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "last.h5").string();
  save_hdf5(path, small_image());
  CHECK(load_hdf5(path) == small_image());
  CHECK_THROWS_AS(load_hdf5(path, 100), DataError);
  CHECK_THROWS_AS(load_hdf5((folder / "none").string()), DataError);
  CHECK_THROWS_AS(save_hdf5((folder / "no/where.h5").string(), small_image()), FailedError);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace pare
