// CIFAR's records: planes become pixels, labels are checked, sizes are exact.
#include "datasets/cifar.h"

#include <doctest/doctest.h>

#include <array>

#include "tests/datasets/files.h"

namespace pare {
namespace {

using test::Bytes;
using test::cifar_records;
using test::contains;

constexpr CifarFormat kTen = {.label_bytes = 1, .classes = 10, .most_records = 3};
constexpr CifarFormat kHundred = {.label_bytes = 2, .classes = 100, .most_records = 3};

std::string error_of(const test::TemporaryFolder& folder, const Bytes& file,
                     const CifarFormat& format) {
  const std::array<std::string, 1> paths = {folder.put("x.bin", file)};
  return test::message_of([&] { read_cifar(paths, format); });
}

TEST_CASE("the planes of all files become pixels of three channels") {
  const test::TemporaryFolder folder;
  const Bytes first = cifar_records({{9}, {0}}, 1), second = cifar_records({{3}}, 2);
  const std::array<std::string, 2> paths = {folder.put("1", first),
                                            folder.put("2", test::gzip(second))};
  const Images images = read_cifar(paths, kTen);
  CHECK(images.shape == Shape{32, 32, 3});
  CHECK(images.labels == std::vector<std::int32_t>{9, 0, 3});
  REQUIRE(images.pixels.size() == 3 * 3072);
  for (const std::size_t pixel : {0u, 1u, 33u, 1023u}) {
    for (std::size_t c = 0; c < 3; ++c) {
      CHECK(images.pixels[3072 + 3 * pixel + c] == first[3073 + 1 + 1024 * c + pixel]);
      CHECK(images.pixels[2 * 3072 + 3 * pixel + c] == second[1 + 1024 * c + pixel]);
    }
  }
}

TEST_CASE("of the two labels of CIFAR-100 the fine one counts, and both are checked") {
  const test::TemporaryFolder folder;
  const std::array<std::string, 1> paths = {folder.put("x", cifar_records({{19, 99}, {0, 5}}, 1))};
  CHECK(read_cifar(paths, kHundred).labels == std::vector<std::int32_t>{99, 5});
  CHECK(contains(error_of(folder, cifar_records({{1, 1}, {20, 5}}, 1), kHundred),
                 "coarse label 1: expected 0 to 19, got 20"));
  CHECK(contains(error_of(folder, cifar_records({{1, 100}}, 1), kHundred),
                 "label 0: expected 0 to 99, got 100"));
  CHECK(contains(error_of(folder, cifar_records({{1}, {10}}, 1), kTen),
                 "label 1: expected 0 to 9, got 10"));
}

TEST_CASE("only whole records count, and no more than the official file has") {
  const test::TemporaryFolder folder;
  Bytes file = cifar_records({{1}, {2}, {3}}, 1);
  CHECK(error_of(folder, file, kTen) == "");
  file.pop_back();
  CHECK(contains(error_of(folder, file, kTen),
                 "expected 1 to 3 records of 3073 bytes, got 9218 bytes"));
  CHECK(contains(error_of(folder, {}, kTen), "got 0 bytes"));
  const Bytes four = cifar_records({{1}, {2}, {3}, {4}}, 1);
  CHECK(contains(error_of(folder, four, kTen), "got more"));
  CHECK(contains(error_of(folder, test::gzip(Bytes(64u << 20, 0)), kTen), "got more"));
  CHECK(contains(error_of(folder, cifar_records({{1}}, 1), kHundred), "records of 3074 bytes"));
}

}  // namespace
}  // namespace pare
