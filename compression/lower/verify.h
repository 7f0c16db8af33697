// Verification: the engine against the exact evaluation of the training graph, every tensor, every
// image.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "compression/integer/engine.h"
#include "compression/lower/exact.h"

namespace pare {

struct Verification {
  std::int64_t images = 0;
  std::int64_t tensors = 0;  // per image
  std::int64_t codes = 0;    // compared in all
  std::int64_t differing = 0;
  std::string
      first;  // where the first difference is: tensor, image, element, both codes; "" where none
  std::vector<std::int32_t> labels;  // the engine's, one per image
};

// input: codes of all images. `progress(done)` is called after each batch of images; it may throw
// to stop.
Verification verify(const Network& network, const FinalNetwork& final,
                    const integer::Engine& engine, std::span<const std::int8_t> input,
                    const std::function<void(std::int64_t)>& progress = nullptr);

}  // namespace pare
