// The fast kernels of the pools: vectorised over channels, parallel over images. Taps outside the image are left out;
// every window must see at least one pixel (pads smaller than the kernel).
#pragma once

#include "framework/ops/window.h"

namespace pare {

// The maximum of each window; NaN where the window has one.
void max_pool_forward(const ImageShape& shape, const float* x, float* y);

// dx = beta * dx + gradient; beta is 0 or 1. The place of the maximum is found again by comparing x with y, so that the
// forward pass stores no indices: the first pixel equal to y, or the first NaN.
void max_pool_backward(const ImageShape& shape, const float* x, const float* y, const float* dy,
                       float* dx, float beta);

// The mean over the visible taps of each window.
void average_pool_forward(const ImageShape& shape, const float* x, float* y);
void average_pool_backward(const ImageShape& shape, const float* dy, float* dx, float beta);

}  // namespace pare
