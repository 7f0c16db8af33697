// Pixels to numbers: the one place where a byte, or a float of the data, becomes the float that the
// network sees.
//
// The training batches, the evaluation and the integer model's pixel-to-code table all go through
// these 256 values per channel, so that what is deployed cannot differ from what was trained.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "datasets/dataset.h"

namespace pare {

using PixelValues = std::array<float, 256>;

// (byte / 255 - mean) / std in float32, or byte / 255 where the data set has no mean. `channel` <
// channels.
PixelValues pixel_values(const Dataset& dataset, int channel);

// One per channel; none for data that are not bytes, whose values are normalised already.
std::vector<PixelValues> pixel_values(const Dataset& dataset);

// Float images only: every value becomes (value - mean) / std_dev of its channel, or stays where
// there is no mean; `fill` is set to what 0 became.
void normalize_values(Images& images, std::span<const float> mean, std::span<const float> std_dev);

// Mean and standard deviation per channel of the [0,1] values (of float images: of the values); a
// constant channel gets the deviation 1. Sums of bytes are integers, those of floats are in double,
// in the order of the images.
struct Statistics {
  std::vector<float> mean, std_dev;
};
Statistics measure(const Images& images);

}  // namespace pare
