// The pixel tables against the formula, and the measured statistics against values worked out by
// hand.
#include "datasets/normalize.h"

#include <doctest/doctest.h>

#include <cmath>

namespace pare {
namespace {

Dataset two_channels() {
  Dataset dataset;
  dataset.train.shape = {1, 2, 2};
  return dataset;
}

TEST_CASE("the table is (byte / 255 - mean) / std in float32, per channel") {
  Dataset dataset = two_channels();
  dataset.mean = {0.1307f, 0.5f};
  dataset.std_dev = {0.3081f, 0.25f};
  const auto tables = pixel_values(dataset);
  REQUIRE(tables.size() == 2);
  // Worked out in float32 by NumPy.
  CHECK(tables[0][0] == -0.42421296f);
  CHECK(tables[0][255] == 2.8214867f);
  CHECK(tables[1][0] == -2.0f);
  CHECK(tables[1][255] == 2.0f);
  CHECK(tables[1] == pixel_values(dataset, 1));
}

TEST_CASE("without a mean the bytes become [0,1]") {
  const auto table = pixel_values(two_channels(), 0);
  CHECK(table[0] == 0.0f);
  CHECK(table[51] == 0.2f);
  CHECK(table[255] == 1.0f);
}

TEST_CASE("statistics are those of each channel; a constant channel is not divided by zero") {
  Images images;
  images.shape = {1, 2, 2};
  images.pixels = {0, 9, 255, 9, 0, 9, 255, 9};
  const Statistics s = measure(images);
  CHECK(s.mean == std::vector<float>{0.5f, 9.0f / 255});
  CHECK(s.std_dev == std::vector<float>{0.5f, 1.0f});
}

}  // namespace
}  // namespace pare
