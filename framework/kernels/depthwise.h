// The fast kernels of depthwise convolutions: channels never mix, so work is vectorised over
// channels and visits every tap of every window once. weight [kernel_h, kernel_w, out_channels];
// output channel o reads input channel o / (out_channels / channels). `groups` is not used.
#pragma once

#include "framework/ops/window.h"

namespace pare {

// y = convolution of x + bias; a null bias counts as zero.
void depthwise_forward(const ConvShape& shape, const float* x, const float* weight,
                       const float* bias, float* y);

// dx = beta * dx + gradient with respect to x; beta is 0 or 1.
void depthwise_input_gradient(const ConvShape& shape, const float* dy, const float* weight,
                              float* dx, float beta);

// dweight = beta * dweight + gradient with respect to the weight; beta is 0 or 1. Partial sums over
// at most 16 chunks of images, added in order.
void depthwise_weight_gradient(const ConvShape& shape, const float* x, const float* dy,
                               float* dweight, float beta);

}  // namespace pare
