// The fast kernels of the pools: vectorised over channels, parallel over images. Taps outside the
// image are left out; every window must see at least one pixel (pads smaller than the kernel).
#pragma once

#include <cstdint>

#include "framework/ops/window.h"
#include "framework/tensor/tensor.h"

namespace pare {

// The maximum of each window, NaN where the window has one; and where it was found: the number of
// the tap, that of the first one among equals, of the first NaN where there is one. At most 65536
// taps.
void max_pool_forward(const ImageShape& shape, const float* x, float* y, std::uint16_t* taps);

// Step memory for the taps of so many outputs, as a tensor.
inline Tensor tap_memory(std::int64_t outputs) { return Tensor(Shape{(outputs + 1) / 2}); }
inline std::uint16_t* mutable_taps(Tensor& taps) {
  return reinterpret_cast<std::uint16_t*>(taps.mutable_data());
}
inline const std::uint16_t* taps_of(const Tensor& taps) {
  return reinterpret_cast<const std::uint16_t*>(taps.data());
}

// dx = beta * dx + gradient; beta is 0 or 1.
void max_pool_backward(const ImageShape& shape, const std::uint16_t* taps, const float* dy,
                       float* dx, float beta);

// The mean over the visible taps of each window.
void average_pool_forward(const ImageShape& shape, const float* x, float* y);
void average_pool_backward(const ImageShape& shape, const float* dy, float* dx, float beta);

}  // namespace pare
