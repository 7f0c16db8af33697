// The working memory of the fast kernels: one per thread that runs images, sized once for the whole
// program.
#pragma once

#include <cstdint>
#include <vector>

#include "compression/integer/kernels/aligned.h"

namespace pare::integer {

struct Scratch {
  AlignedVector<std::uint8_t> image;     // the inputs of a layer as its kernel reads them, padded
  AlignedVector<std::int16_t> words;     // those of one image of a dense layer in 16 bits
  std::vector<std::int32_t> sums;        // one accumulator per channel
  AlignedVector<std::int16_t> patches;   // transformed inputs (winograd_layer.h)
  AlignedVector<std::int32_t> products;  // of these with weights
  // Every second time a layer's tiles are taken from the last one to the first. Where its weights
  // are more than a cache holds, some of them are still there from the time before: those that
  // were read last. From the first one on they would be overwritten before it is their turn.
  bool backwards = false;
};

}  // namespace pare::integer
