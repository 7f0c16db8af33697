// Batches as functions of (seed, epoch, index), for any number of threads and any order of calls.
#include "datasets/batches.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "framework/base/parallel.h"
#include "tests/datasets/files.h"

namespace pare {
namespace {

constexpr std::int64_t kImages = 103;

// Image i is filled with the byte i and labelled i.
Images labelled() {
  Images images;
  images.shape = {4, 3, 1};
  for (std::int32_t i = 0; i < kImages; ++i) {
    images.labels.push_back(i);
    images.pixels.insert(images.pixels.end(), 12, static_cast<std::uint8_t>(i));
  }
  return images;
}

// Bytes stay bytes.
std::vector<PixelValues> identity() {
  PixelValues values;
  std::iota(values.begin(), values.end(), 0.0f);
  return {values};
}

std::vector<float> floats(const Batch& batch) {
  return {batch.images.values().begin(), batch.images.values().end()};
}

bool equal(const Batch& a, const Batch& b) {
  return a.images.shape() == b.images.shape() && floats(a) == floats(b) && a.labels == b.labels;
}

std::vector<Augmentation> some_augmentation() {
  Augmentation shift, rotate;
  shift.kind = "shift";
  rotate.kind = "rotate";
  return {shift, rotate};
}

TEST_CASE("an epoch shows every image at most once, with its own label, in full batches only") {
  const Images images = labelled();
  Batches batches(images, identity(), 10, 1, {});
  CHECK(batches.per_epoch() == 10);
  std::vector<std::int32_t> seen;
  for (std::int64_t b = 0; b < batches.per_epoch(); ++b) {
    const Batch batch = batches.get(0, b);
    REQUIRE(batch.images.shape() == Shape{10, 4, 3, 1});
    for (std::size_t i = 0; i < 10; ++i) {
      CHECK(batch.images.data()[12 * i] == static_cast<float>(batch.labels[i]));
      CHECK(batch.images.data()[12 * i + 11] == static_cast<float>(batch.labels[i]));
    }
    seen.insert(seen.end(), batch.labels.begin(), batch.labels.end());
  }
  CHECK_FALSE(std::is_sorted(seen.begin(), seen.end()));
  std::sort(seen.begin(), seen.end());
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
  CHECK(seen.size() == 100);
}

TEST_CASE("fewer images than a batch are one batch") {
  const Images images = labelled();
  Batches batches(images, identity(), 1000, 1, {});
  CHECK(batches.per_epoch() == 1);
  CHECK(batches.get(0, 0).count() == kImages);
}

TEST_CASE("a batch depends on seed, epoch and index, not on what was asked before") {
  const Images images = labelled();
  Batches one(images, identity(), 10, 7, some_augmentation());
  Batches two(images, identity(), 10, 7, some_augmentation());
  const Batch later = one.get(3, 4);
  two.get(0, 0);
  two.get(9, 9);
  const Batch same = two.get(3, 4);
  CHECK(equal(later, same));
  Batches other(images, identity(), 10, 8, some_augmentation());
  CHECK(other.get(3, 4).labels != later.labels);
  CHECK(one.get(2, 4).labels != later.labels);
}

TEST_CASE("an image is augmented anew in every epoch") {
  Images images = labelled();
  images.pixels = test::counting(images.pixels.size());
  images.labels.resize(1);
  images.pixels.resize(12);
  Batches batches(images, identity(), 1, 7, some_augmentation());
  CHECK(floats(batches.get(0, 0)) != floats(batches.get(1, 0)));
}

TEST_CASE("the number of threads changes no bit") {
  Images images = labelled();
  images.pixels = test::counting(images.pixels.size());
  const int before = thread_count();
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 3, 7}) {
    set_thread_count(threads);
    Batches batches(images, identity(), 100, 7, some_augmentation());
    results.push_back(floats(batches.get(1, 0)));
  }
  set_thread_count(before);
  for (const auto& result : results) CHECK(result == results[0]);
}

TEST_CASE("images of floats are batched as they are, with the order of bytes") {
  const Images bytes = labelled();
  Images floats = bytes;
  floats.values.assign(bytes.pixels.begin(), bytes.pixels.end());
  floats.pixels.clear();
  floats.fill = {0};
  Augmentation shift;
  shift.kind = "shift";
  Batches a(bytes, identity(), 10, 7, {shift}), b(floats, {}, 10, 7, {shift});
  CHECK(equal(a.get(3, 4), b.get(3, 4)));
  CHECK(equal(batch_in_order(bytes, identity(), 96, 32), batch_in_order(floats, {}, 96, 32)));
}

TEST_CASE("an epoch after the first few batches takes no memory from the system") {
  const Images images = labelled();
  Batches batches(images, identity(), 10, 7, some_augmentation());
  batches.get(0, 0);
  const std::int64_t before = memory_statistics().system_allocations;
  const float* const memory = batches.get(0, 1).images.data();
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    for (std::int64_t b = 0; b < batches.per_epoch(); ++b)
      CHECK(batches.get(epoch, b).images.data() == memory);
  }
  CHECK(memory_statistics().system_allocations == before);
}

TEST_CASE("a batch that is still held is not overwritten") {
  const Images images = labelled();
  Batches batches(images, identity(), 10, 7, {});
  const Tensor held = batches.get(0, 0).images;
  const std::vector<float> before(held.values().begin(), held.values().end());
  batches.get(0, 1);
  CHECK(std::vector<float>(held.values().begin(), held.values().end()) == before);
}

TEST_CASE("evaluation reads in order and keeps the last, shorter batch") {
  const Images images = labelled();
  const Batch last = batch_in_order(images, identity(), 96, 32);
  CHECK(last.images.shape() == Shape{7, 4, 3, 1});
  CHECK(last.labels == std::vector<std::int32_t>{96, 97, 98, 99, 100, 101, 102});
  CHECK(last.images.data()[12] == 97.0f);
  const std::vector<std::int32_t> chosen = {5, 2};
  CHECK(batch_of(images, identity(), chosen).labels == chosen);
}

TEST_CASE("each channel goes through its own table") {
  Images images;
  images.shape = {1, 2, 2};
  images.pixels = {1, 2, 3, 4};
  images.labels = {0};
  auto values = identity();
  values.push_back(values[0]);
  for (float& v : values[1]) v = -v;
  CHECK(floats(batch_in_order(images, values, 0, 1)) == std::vector<float>{1, -2, 3, -4});
}

}  // namespace
}  // namespace pare
