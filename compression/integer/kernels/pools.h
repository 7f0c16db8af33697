// Max and average pooling. Channels are the innermost loop, which compilers turn into vectors of
// integers. One image each.
#pragma once

#include <cstdint>

#include "compression/integer/kernels/scratch.h"
#include "compression/integer/program.h"

namespace pare::integer {

void max_pool(const Window& window, const Tensor& input, const Tensor& output,
              const std::int8_t* codes, std::int8_t* out);
void average_pool(const Window& window, const Tensor& input, const Tensor& output,
                  const std::int8_t* codes, std::int8_t* out, Scratch& scratch);

}  // namespace pare::integer
