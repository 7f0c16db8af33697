// What an export is verified with: images, the codes that they become, and what the engine makes of
// them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compression/integer/engine.h"
#include "datasets/dataset.h"

namespace pare {

struct Sample {
  std::int64_t count = 0;
  std::string source;                // "mnist test images", or "random codes"
  std::vector<std::uint8_t> pixels;  // none where the model has no table of pixel codes
  std::vector<std::int8_t> codes;
  std::vector<std::int8_t> outputs;  // of the engine
};

// The first `count` test images, or all that there are.
Sample sample_images(const integer::Engine& engine, const Dataset& dataset, std::int64_t count);

// Where there are no images: codes, or pixels, drawn by the model's name.
Sample random_sample(const integer::Engine& engine, std::int64_t count);

// The first `count` of a sample.
Sample first(const Sample& sample, std::int64_t count);

// How two sets of outputs differ.
struct Difference {
  std::int64_t codes = 0, differing = 0;
  std::int64_t largest = 0;       // |difference| of a code
  std::int64_t first_image = -1;  // the first that differs
  std::int64_t labels = 0;        // images with another label
};
Difference compare(const Sample& sample, const std::vector<std::int8_t>& found);

}  // namespace pare
