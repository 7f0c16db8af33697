// The fast kernels of conv2d. Instead of unfolding images (im2col) they hand the register tiles of
// tile.h pointers into the image: in NHWC the taps of one kernel row are contiguous, so an output
// pixel's inputs are kernel_h segments of kernel_w * channels floats (with groups: one segment of
// channels / groups floats per tap).
//
// Parallel over images or blocks of output rows, cut by shapes only; the weight gradient adds at
// most 16 partial sums over shape-sized chunks of images in a fixed order.
#pragma once

#include <cstdint>

#include "framework/kernels/output_gradient.h"
#include "framework/ops/window.h"

namespace pare {

// y = convolution of x + bias; a null bias counts as zero.
void conv2d_forward(const ConvShape& shape, const float* x, const float* weight, const float* bias,
                    float* y);

// y = max pool of that convolution, with the taps of max_pool_forward: the same values, but the
// convolution itself lives for a few images at a time only. `pool` reads its output.
void conv2d_max_pool_forward(const ConvShape& shape, const ImageShape& pool, const float* x,
                             const float* weight, const float* bias, float* y, std::uint16_t* taps);

// dx = beta * dx + gradient with respect to x; beta is 0 or 1.
void conv2d_input_gradient(const ConvShape& shape, const OutputGradient& dy, const float* weight,
                           float* dx, float beta);

// dweight = beta * dweight + gradient with respect to the weight; beta is 0 or 1.
void conv2d_weight_gradient(const ConvShape& shape, const float* x, const OutputGradient& dy,
                            float* dweight, float beta);

}  // namespace pare
