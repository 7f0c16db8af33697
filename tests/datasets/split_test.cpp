// The validation split: disjoint, complete, stratified, reproducible.
#include "datasets/split.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "framework/base/error.h"

namespace pare {
namespace {

// One pixel per image pair of bytes: the image's own number.
Images numbered(const std::vector<std::int32_t>& labels) {
  Images images;
  images.shape = {1, 2, 1};
  images.labels = labels;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    images.pixels.push_back(static_cast<std::uint8_t>(i / 256));
    images.pixels.push_back(static_cast<std::uint8_t>(i % 256));
  }
  return images;
}

std::vector<int> numbers(const Images& images) {
  std::vector<int> all;
  for (std::size_t i = 0; i < images.labels.size(); ++i) {
    all.push_back(images.pixels[2 * i] * 256 + images.pixels[2 * i + 1]);
  }
  return all;
}

// 600 images: 300 of class 0, 200 of class 1, 100 of class 2, mixed.
std::vector<std::int32_t> uneven_labels() {
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 100; ++i) labels.insert(labels.end(), {0, 1, 0, 2, 1, 0});
  return labels;
}

TEST_CASE("the parts are disjoint, complete, in order, and keep their labels") {
  const auto labels = uneven_labels();
  const Split split = split_validation(numbered(labels), 77, 3, 5);
  CHECK(split.validation.count() == 77);
  CHECK(split.train.count() == 523);
  auto train = numbers(split.train), validation = numbers(split.validation);
  CHECK(std::is_sorted(train.begin(), train.end()));
  CHECK(std::is_sorted(validation.begin(), validation.end()));
  for (std::size_t i = 0; i < train.size(); ++i) {
    CHECK(split.train.labels[i] == labels[static_cast<std::size_t>(train[i])]);
  }
  train.insert(train.end(), validation.begin(), validation.end());
  std::sort(train.begin(), train.end());
  CHECK(train == numbers(numbered(labels)));
}

TEST_CASE("what is left over goes to the classes with the largest remainder") {
  // Shares of 7: 3.5, 2.33 and 1.17. Of 10: 5, 3.33 and 1.67.
  const auto counts = [](std::int64_t count) {
    std::map<std::int32_t, int> found;
    for (const std::int32_t label :
         split_validation(numbered(uneven_labels()), count, 3, 5).validation.labels)
      ++found[label];
    return found;
  };
  CHECK(counts(7) == std::map<std::int32_t, int>{{0, 4}, {1, 2}, {2, 1}});
  CHECK(counts(10) == std::map<std::int32_t, int>{{0, 5}, {1, 3}, {2, 2}});
}

TEST_CASE("every class gives its share to within one image") {
  for (const std::int64_t count : {1, 2, 7, 60, 77, 599}) {
    CAPTURE(count);
    const Split split = split_validation(numbered(uneven_labels()), count, 3, 5);
    std::map<int, double> given;
    for (const std::int32_t label : split.validation.labels) given[label] += 1;
    CHECK(split.validation.count() == count);
    const double share = static_cast<double>(count) / 600;
    CHECK(std::abs(given[0] - 300 * share) < 1);
    CHECK(std::abs(given[1] - 200 * share) < 1);
    CHECK(std::abs(given[2] - 100 * share) < 1);
  }
}

TEST_CASE("the choice depends on the seed and on nothing else") {
  const auto chosen = [](std::uint64_t seed) {
    return numbers(split_validation(numbered(uneven_labels()), 60, 3, seed).validation);
  };
  CHECK(chosen(1) == chosen(1));
  CHECK(chosen(1) != chosen(2));
}

TEST_CASE("a validation of 0 leaves everything where it is") {
  const Split split = split_validation(numbered(uneven_labels()), 0, 3, 1);
  CHECK(split.train.count() == 600);
  CHECK(split.validation.count() == 0);
  CHECK(split.validation.shape == split.train.shape);
}

TEST_CASE("a fraction below 1 is a share, anything else a count") {
  CHECK(validation_count(0, 60000) == 0);
  CHECK(validation_count(0.1, 60000) == 6000);
  CHECK(validation_count(0.1, 15) == 2);  // 1.5 rounds up
  CHECK(validation_count(1, 60000) == 1);
  CHECK(validation_count(5000, 60000) == 5000);
  CHECK_THROWS_AS(validation_count(60000, 60000), ConfigError);
  CHECK_THROWS_AS(validation_count(0.99, 2), ConfigError);
  CHECK_THROWS_AS(validation_count(1e300, 60000), ConfigError);
}

TEST_CASE("the limit keeps the first images") {
  const Images all = numbered(uneven_labels());
  CHECK(first_images(all, 1000).count() == 600);
  const Images images = first_images(all, 3);
  CHECK(numbers(images) == std::vector<int>{0, 1, 2});
  CHECK(images.pixels.size() == 6);
}

}  // namespace
}  // namespace pare
