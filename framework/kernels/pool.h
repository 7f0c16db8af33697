// The fast kernels of the pools: vectorised over channels, parallel over images. Taps outside the
// image are left out; every window must see at least one pixel (pads smaller than the kernel).
#pragma once

#include <cstdint>

#include "framework/ops/window.h"

namespace pare {

// The maximum of each window, NaN where the window has one; and where it was found: the number of
// the tap, that of the first one among equals, of the first NaN where there is one. At most 65536
// taps.
void max_pool_forward(const ImageShape& shape, const float* x, float* y, std::uint16_t* taps);

// dx = beta * dx + gradient; beta is 0 or 1.
void max_pool_backward(const ImageShape& shape, const std::uint16_t* taps, const float* dy,
                       float* dx, float beta);

// The mean over the visible taps of each window.
void average_pool_forward(const ImageShape& shape, const float* x, float* y);
void average_pool_backward(const ImageShape& shape, const float* dy, float* dx, float beta);

}  // namespace pare
