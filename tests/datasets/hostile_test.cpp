// Every truncation and every changed byte of a small sample of each format: an error, or a data set
// that keeps the promises of dataset.h. (idx_test.cpp does the same below the level of images.)
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <functional>

#include "datasets/cifar.h"
#include "datasets/idx.h"
#include "datasets/npy.h"
#include "tests/datasets/files.h"

namespace pare {
namespace {

using test::Bytes;

struct Sample {
  std::string name;
  Bytes images, labels;
  std::function<Images(const std::string&, const std::string&)> read;
};

Images read_ten(const std::string& images, const std::string&) {
  const std::array<std::string, 1> paths = {images};
  return read_cifar(paths, {.label_bytes = 1, .classes = 10, .most_records = 10});
}

Images read_hundred(const std::string& images, const std::string&) {
  const std::array<std::string, 1> paths = {images};
  return read_cifar(paths, {.label_bytes = 2, .classes = 100, .most_records = 10});
}

Images read_idx_pair(const std::string& images, const std::string& labels) {
  return read_idx_images(images, labels, 0);
}

std::vector<Sample> samples() {
  using test::bytes_of, test::gzip, test::idx_file, test::npy_file;
  const Bytes pixels = test::counting(3 * 4 * 5);
  const Bytes labels = npy_file("<i8", "(3,)", bytes_of<std::int64_t>({2, 0, 1}));
  const Bytes npy = npy_file("|u1", "(3, 4, 5)", pixels);
  std::vector<float> values(pixels.begin(), pixels.end());
  return {
      {"idx", idx_file({3, 4, 5}, pixels), idx_file({3}, {2, 0, 1}), read_idx_pair},
      {"idx.gz", gzip(idx_file({3, 4, 5}, pixels)), gzip(idx_file({3}, {2, 0, 1})), read_idx_pair},
      {"npy", npy, labels, read_npy_images},
      {"npy.gz", gzip(npy), gzip(labels), read_npy_images},
      {"npy of floats", npy_file("<f4", "(3, 4, 5)", bytes_of(values)),
       npy_file("<i4", "(3,)", bytes_of<std::int32_t>({2, 0, 1})), read_npy_images},
      {"cifar10", test::cifar_records({{1}}, 1), {}, read_ten},
      {"cifar100.gz", gzip(test::cifar_records({{1, 2}}, 1)), {}, read_hundred},
  };
}

void require_promises(const Images& images, std::size_t bytes) {
  const auto count = static_cast<std::size_t>(images.count());
  const auto size = static_cast<std::size_t>(images.shape.size());
  REQUIRE(count > 0);
  REQUIRE(std::max(images.pixels.size(), images.values.size()) == count * size);
  REQUIRE(std::min(images.pixels.size(), images.values.size()) == 0);
  REQUIRE(count * size <= 1032 * bytes);
  for (const std::int32_t label : images.labels) REQUIRE((label >= 0 && label < 65536));
}

// Writes the pair, one of them damaged, and reads it.
void try_pair(const test::TemporaryFolder& folder, const Sample& sample, const Bytes& images,
              const Bytes& labels) {
  const std::string a = folder.put("images", images), b = folder.put("labels", labels);
  try {
    require_promises(sample.read(a, b), images.size());
  } catch (const DataError& error) {
    REQUIRE(test::contains(error.what(), folder.path()));
  }
}

TEST_CASE("every truncation of every format is an error") {
  const test::TemporaryFolder folder;
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    const std::string labels = folder.put("labels", sample.labels);
    for (std::size_t size = 0; size < sample.images.size(); ++size) {
      CAPTURE(size);
      const auto end = sample.images.begin() + static_cast<std::ptrdiff_t>(size);
      const std::string images = folder.put("images", Bytes(sample.images.begin(), end));
      REQUIRE_THROWS_AS(sample.read(images, labels), DataError);
    }
  }
}

TEST_CASE("every changed byte of every format gives an error or a data set that fits") {
  const test::TemporaryFolder folder;
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    for (const int flip : {0x01, 0x80, 0xff}) {
      for (std::size_t at = 0; at < sample.images.size(); ++at) {
        Bytes changed = sample.images;
        changed[at] = static_cast<std::uint8_t>(changed[at] ^ flip);
        try_pair(folder, sample, changed, sample.labels);
      }
      for (std::size_t at = 0; at < sample.labels.size(); ++at) {
        Bytes changed = sample.labels;
        changed[at] = static_cast<std::uint8_t>(changed[at] ^ flip);
        try_pair(folder, sample, sample.images, changed);
      }
    }
  }
}

}  // namespace
}  // namespace pare
