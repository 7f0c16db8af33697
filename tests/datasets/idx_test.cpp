// IDX files, good and bad: exact values, exact messages, and no crash on any truncation or changed
// byte.
#include "datasets/idx.h"

#include <doctest/doctest.h>

#include "datasets/gzip.h"
#include "tests/datasets/files.h"

namespace pare {
namespace {

using test::Bytes;
using test::contains;
using test::message_of;

std::string error_of(const test::TemporaryFolder& folder, const Bytes& file) {
  const std::string path = folder.put("x", file);
  return message_of([&] { read_idx(path); });
}

std::string pair_error(const test::TemporaryFolder& folder, const Bytes& images,
                       const Bytes& labels, int classes = 10) {
  const std::string a = folder.put("images", images), b = folder.put("labels", labels);
  return message_of([&] { read_idx_images(a, b, classes); });
}

TEST_CASE("an IDX file gives the same array plain and compressed, whatever it is called") {
  const test::TemporaryFolder folder;
  const Bytes values = test::counting(2 * 3 * 4);
  const Bytes file = test::idx_file({2, 3, 4}, values);
  for (const std::string& path :
       {folder.put("plain.gz", file), folder.put("packed", test::gzip(file))}) {
    const IdxArray array = read_idx(path);
    CHECK(array.extents == std::vector<std::int64_t>{2, 3, 4});
    CHECK(array.values == values);
  }
}

TEST_CASE("images and labels become a split") {
  const test::TemporaryFolder folder;
  const std::string labels = folder.put("l", test::idx_file({2}, {9, 3}));
  const Images grey =
      read_idx_images(folder.put("g", test::idx_file({2, 1, 3}, {1, 2, 3, 4, 5, 6})), labels, 10);
  CHECK(grey.shape == Shape{1, 3, 1});
  CHECK(grey.pixels == Bytes{1, 2, 3, 4, 5, 6});
  CHECK(grey.labels == std::vector<std::int32_t>{9, 3});
  const Images colour = read_idx_images(
      folder.put("c", test::idx_file({2, 1, 1, 3}, {1, 2, 3, 4, 5, 6})), labels, 10);
  CHECK(colour.shape == Shape{1, 1, 3});
}

TEST_CASE("what is no IDX file is refused by what it is") {
  const test::TemporaryFolder folder;
  const std::string page = "<html><body>404</body></html>";
  CHECK(contains(error_of(folder, Bytes(page.begin(), page.end())), "probably a web page"));
  CHECK(contains(error_of(folder, test::gzip(Bytes(page.begin(), page.end()))),
                 "probably a web page"));
  CHECK(contains(error_of(folder, {}), "got only 0 bytes"));
  CHECK(contains(error_of(folder, {0, 0, 0x0d, 1, 0, 0, 0, 0}), "got 0x00000d01"));  // floats
  CHECK(contains(error_of(folder, {0, 0, 8, 0}), "got 0x00000800"));
  CHECK(contains(error_of(folder, {0, 0, 8, 5}), "got 0x00000805"));
  CHECK(contains(error_of(folder, {0, 0, 8, 3, 0, 0, 0, 2}), "ends inside its header of 16 bytes"));
}

TEST_CASE("the size equation is exact") {
  const test::TemporaryFolder folder;
  Bytes file = test::idx_file({2, 2}, {1, 2, 3, 4});
  file.push_back(5);
  CHECK(contains(error_of(folder, file), "expected 16 bytes (by its header), got 17"));
  CHECK(contains(error_of(folder, test::gzip(file)), "got more after decompression"));
  file.resize(15);
  CHECK(contains(error_of(folder, file), "expected 16 bytes (by its header), got 15"));
  CHECK(contains(error_of(folder, test::gzip(file)), "got 15 after decompression"));
}

TEST_CASE("hostile headers neither overflow nor allocate") {
  const test::TemporaryFolder folder;
  CHECK(contains(error_of(folder, test::idx_file({~0u, ~0u, ~0u, ~0u}, {1})), "more than 2 GiB"));
  CHECK(contains(error_of(folder, test::idx_file({1u << 31, 2}, {1})), "more than 2 GiB"));
  CHECK(contains(error_of(folder, test::idx_file({65536, 65536, 65536, 65536}, {1})),
                 "more than 2 GiB"));
  // 2^32 * 2^32 = 0 in 64 bits would pass a careless check.
  CHECK(contains(error_of(folder, test::idx_file({0x80000000u, 0x80000000u, 4}, {})),
                 "more than 2 GiB"));
  CHECK(contains(error_of(folder, test::gzip(test::idx_file({1u << 30}, {1}))),
                 "too short for that"));
}

TEST_CASE("a gzip bomb is stopped at the size that its header allows") {
  const test::TemporaryFolder folder;
  const Bytes bomb = test::gzip(test::idx_file({10}, Bytes(64u << 20, 0)));
  CHECK(bomb.size() < 100'000);
  CHECK(contains(error_of(folder, bomb), "expected 18 bytes (by its header), got more"));
}

TEST_CASE("images and labels that do not belong together are refused") {
  const test::TemporaryFolder folder;
  const Bytes images = test::idx_file({2, 1, 1}, {7, 8});
  const Bytes labels = test::idx_file({2}, {0, 1});
  CHECK(pair_error(folder, images, labels) == "");
  CHECK(contains(pair_error(folder, labels, images),
                 "this is a label file (magic 0x00000801), expected images"));
  CHECK(contains(pair_error(folder, images, images),
                 "this is an image file (3 axes), expected labels"));
  CHECK(contains(pair_error(folder, images, test::idx_file({3}, {0, 1, 2})), "has 2 images"));
  CHECK(contains(pair_error(folder, images, test::idx_file({2}, {0, 10})),
                 "label 1: expected 0 to 9, got 10"));
  CHECK(pair_error(folder, images, test::idx_file({2}, {0, 255}), 0) == "");
  CHECK(contains(pair_error(folder, test::idx_file({0, 1, 1}, {}), test::idx_file({0}, {})),
                 "at least one pixel"));
  CHECK(contains(pair_error(folder, test::idx_file({2, 0, 9}, {}), labels), "at least one pixel"));
  CHECK(contains(pair_error(folder, test::idx_file({2, 2}, {1, 2, 3, 4}), labels), "got 2 axes"));
}

TEST_CASE("every truncation is an error") {
  const test::TemporaryFolder folder;
  const Bytes plain = test::idx_file({3, 4, 5}, test::counting(60));
  for (const Bytes& file : {plain, test::gzip(plain)}) {
    for (std::size_t size = 0; size < file.size(); ++size) {
      CAPTURE(size);
      CHECK(error_of(folder,
                     Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))) != "");
    }
  }
}

TEST_CASE("a changed byte gives an error or an array of the promised size") {
  const test::TemporaryFolder folder;
  const Bytes plain = test::idx_file({3, 4, 5}, test::counting(60));
  const Bytes packed = test::gzip(plain);
  for (const Bytes& file : {plain, packed}) {
    for (std::size_t at = 0; at < file.size(); ++at) {
      for (const int flip : {0x01, 0x80, 0xff}) {
        Bytes changed = file;
        changed[at] = static_cast<std::uint8_t>(changed[at] ^ flip);
        const std::string path = folder.put("x", changed);
        try {
          const IdxArray array = read_idx(path);
          std::int64_t product = 1;
          for (const std::int64_t extent : array.extents) product *= extent;
          CHECK(static_cast<std::int64_t>(array.values.size()) == product);
          // The checksum of gzip guards the values; its header has bytes that mean nothing (time,
          // system).
          if (file == packed) CHECK(array.values == test::counting(60));
        } catch (const DataError&) {
        }
      }
    }
  }
}

TEST_CASE("bytes after a gzip stream are an error") {
  const test::TemporaryFolder folder;
  Bytes file = test::gzip(test::idx_file({2}, {1, 2}));
  file.push_back(0);
  CHECK(contains(error_of(folder, file), "expected the end of the gzip stream, got 1 more bytes"));
}

}  // namespace
}  // namespace pare
