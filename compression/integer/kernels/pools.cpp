#include "compression/integer/kernels/pools.h"

#include <algorithm>

namespace pare::integer {
namespace {

// The part of a window that lies inside the image: rows and columns [begin, end) of the kernel.
struct Inside {
  std::int32_t top, left;  // of the window, may be outside
  std::int32_t row_begin, row_end, column_begin, column_end;
  std::int32_t count() const { return (row_end - row_begin) * (column_end - column_begin); }
};

Inside inside(const Window& w, const Tensor& input, std::int32_t y, std::int32_t x) {
  const std::int32_t top = y * w.stride_h - w.pad_top, left = x * w.stride_w - w.pad_left;
  return {top,
          left,
          std::max(0, -top),
          std::min(w.kernel_h, input.height - top),
          std::max(0, -left),
          std::min(w.kernel_w, input.width - left)};
}

// Calls tap(ky, kx, codes of that pixel) for every tap inside the image.
template <class Tap>
void for_each_tap(const Inside& at, const Tensor& input, const std::int8_t* codes, const Tap& tap) {
  for (std::int32_t ky = at.row_begin; ky < at.row_end; ++ky) {
    for (std::int32_t kx = at.column_begin; kx < at.column_end; ++kx) {
      const std::int64_t pixel = std::int64_t{at.top + ky} * input.width + at.left + kx;
      tap(ky, kx, codes + pixel * input.channels);
    }
  }
}

// Calls pixel(y, x, codes of that output pixel).
template <class Pixel>
void for_each_pixel(const Tensor& output, std::int8_t* out, const Pixel& pixel) {
  for (std::int32_t y = 0; y < output.height; ++y) {
    for (std::int32_t x = 0; x < output.width; ++x, out += output.channels) pixel(y, x, out);
  }
}

}  // namespace

void max_pool(const Window& window, const Tensor& input, const Tensor& output,
              const std::int8_t* codes, std::int8_t* out) {
  const auto low = static_cast<std::int8_t>(output.code_min),
             high = static_cast<std::int8_t>(output.code_max);
  for_each_pixel(output, out, [&](std::int32_t y, std::int32_t x, std::int8_t* pixel) {
    std::fill_n(pixel, output.channels, low);
    for_each_tap(inside(window, input, y, x), input, codes,
                 [&](std::int32_t, std::int32_t, const std::int8_t* source) {
                   for (std::int32_t c = 0; c < output.channels; ++c)
                     pixel[c] = std::max(pixel[c], source[c]);
                 });
    for (std::int32_t c = 0; c < output.channels; ++c) pixel[c] = std::min(pixel[c], high);
  });
}

void average_pool(const Window& window, const Tensor& input, const Tensor& output,
                  const std::int8_t* codes, std::int8_t* out, Scratch& scratch) {
  std::int32_t* sums = scratch.sums.data();
  for_each_pixel(output, out, [&](std::int32_t y, std::int32_t x, std::int8_t* pixel) {
    const Inside at = inside(window, input, y, x);
    std::fill_n(sums, output.channels, 0);
    for_each_tap(at, input, codes, [&](std::int32_t, std::int32_t, const std::int8_t* source) {
      for (std::int32_t c = 0; c < output.channels; ++c) sums[c] += source[c];
    });
    for (std::int32_t c = 0; c < output.channels; ++c) {
      pixel[c] = static_cast<std::int8_t>(
          clamp_code(average_codes(sums[c], at.count()), output.code_min, output.code_max));
    }
  });
}

}  // namespace pare::integer
