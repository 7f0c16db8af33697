// The other way to the gradient of a convolution's images. Not for use outside
// framework/kernels/conv2d_*.cpp.
#pragma once

#include "framework/kernels/output_gradient.h"
#include "framework/ops/window.h"

namespace pare {

// dx = beta * dx + gradient with respect to x; beta is 0 or 1. Every output pixel's products, dy
// [pixels, out] * weight [out, depth], are added to the inputs that it read: no more products than
// the forward pass has, for one addition more per product of a whole sum over `out`.
void scatter_input_gradient(const ConvShape& shape, const OutputGradient& dy, const float* weight,
                            float* dx, float beta);

}  // namespace pare
