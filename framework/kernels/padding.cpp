#include "framework/kernels/padding.h"

#include <algorithm>

namespace pare {

void copy_padded(const float* image, std::int64_t height, std::int64_t width, std::int64_t channels,
                 std::int64_t first, std::int64_t rows, std::int64_t left, std::int64_t columns,
                 float* out) {
  const std::int64_t inside_begin = std::clamp<std::int64_t>(-left, 0, columns);
  const std::int64_t inside_end = std::clamp<std::int64_t>(width - left, inside_begin, columns);
  for (std::int64_t y = first; y < first + rows; ++y, out += columns * channels) {
    if (y < 0 || y >= height) {
      std::fill_n(out, columns * channels, 0.0f);
      continue;
    }
    std::fill_n(out, inside_begin * channels, 0.0f);
    std::copy_n(image + (y * width + left + inside_begin) * channels,
                (inside_end - inside_begin) * channels, out + inside_begin * channels);
    std::fill_n(out + inside_end * channels, (columns - inside_end) * channels, 0.0f);
  }
}

}  // namespace pare
