// The working memory of the fast kernels: one per thread that runs images, sized once for the whole
// program.
#pragma once

#include <cstdint>
#include <vector>

namespace pare::integer {

struct Scratch {
  std::vector<std::int16_t> image;  // the input of a convolution, zero point removed
  std::vector<std::int16_t> rows;   // gathered taps: what panel kernels multiply
  std::vector<std::int32_t> sums;   // one accumulator per channel
};

}  // namespace pare::integer
