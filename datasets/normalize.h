// Pixels to numbers: the one place where a byte becomes the float that the network sees.
//
// The training batches, the evaluation and the integer model's pixel-to-code table all go through
// these 256 values per channel, so that what is deployed cannot differ from what was trained.
#pragma once

#include <array>
#include <vector>

#include "datasets/dataset.h"

namespace pare {

using PixelValues = std::array<float, 256>;

// (byte / 255 - mean) / std in float32, or byte / 255 where the data set has no mean. `channel` <
// channels.
PixelValues pixel_values(const Dataset& dataset, int channel);

// One per channel.
std::vector<PixelValues> pixel_values(const Dataset& dataset);

// Mean and standard deviation per channel of the [0,1] values; a constant channel gets the
// deviation 1. Sums are integers, so the result does not depend on their order.
struct Statistics {
  std::vector<float> mean, std_dev;
};
Statistics measure(const Images& images);

}  // namespace pare
