// The validation split: some of the training images, set aside.
//
// Stratified: every class gives the same share, to within one image. Which images of a class is a
// function of the seed and that class alone. Both parts keep the order of the original.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "datasets/dataset.h"

namespace pare {

// `validation` from the config: a fraction below 1 (rounded to whole images) or a count. Throws
// ConfigError where nothing would be left to train on.
std::int64_t validation_count(double validation, std::int64_t images);

// Which of the images with these labels are set aside: `count` of them, true. 0 <= count <
// labels.size(); labels are 0 .. classes-1.
std::vector<bool> held_out(std::span<const std::int32_t> labels, std::int64_t count, int classes,
                           std::uint64_t seed);

struct Split {
  Images train, validation;
};
// By `held_out`. Moves images; nothing is there twice.
Split split_validation(Images images, std::int64_t count, int classes, std::uint64_t seed);

// A copy of the first `limit` images, or of all.
Images first_images(const Images& images, std::int64_t limit);

}  // namespace pare
