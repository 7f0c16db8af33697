// The op behind every uniform fake-quantizer: real -> code -> real, with the straight-through
// gradient.
#pragma once

#include "compression/quantize/grid.h"
#include "framework/autograd/variable.h"

namespace pare {

// y = (to_code(x) - zero_point) * scale per channel of `axis` (< 0: one channel). The gradient
// passes where x is not clamped and is 0 elsewhere (Bengio et al. 2013, arXiv:1308.3432; clipped as
// in Jacob et al. 2018).
Variable fake_quantize(const Variable& x, const Grid& grid, int axis);

// The codes of x on the grid.
GridCodes codes_of(const Tensor& x, const Grid& grid, int axis);

}  // namespace pare
