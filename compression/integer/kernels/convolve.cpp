#include "compression/integer/kernels/convolve.h"

#include <algorithm>

namespace pare::integer {
namespace {

void remove_zero_point(const std::int8_t* codes, std::int64_t count, std::int32_t zero_point,
                       std::int16_t* out) {
  for (std::int64_t i = 0; i < count; ++i)
    out[i] = static_cast<std::int16_t>(codes[i] - zero_point);
}

// Where one kernel row of one output pixel lies in the image: columns [begin, end) of the kernel
// are inside.
struct KernelRow {
  bool inside = false;
  std::int32_t begin = 0, end = 0;
  std::int64_t pixel = 0;  // of column `begin`
};

KernelRow kernel_row(const Window& w, const Tensor& input, std::int32_t y, std::int32_t x,
                     std::int32_t ky) {
  const std::int32_t iy = y * w.stride_h - w.pad_top + ky;
  if (iy < 0 || iy >= input.height) return {};
  const std::int32_t left = x * w.stride_w - w.pad_left;
  const std::int32_t begin = std::max(0, -left), end = std::min(w.kernel_w, input.width - left);
  return {true, begin, end, std::int64_t{iy} * input.width + left + begin};
}

// The taps of one output pixel for one group, [kernel_h][kernel_w][depth], zeros outside the image
// and at the odd end.
void gather(const Window& w, const Tensor& input, std::int32_t y, std::int32_t x,
            std::int64_t group, std::int64_t depth, const std::int16_t* image, std::int16_t* row) {
  const std::int64_t channels = input.channels;
  for (std::int32_t ky = 0; ky < w.kernel_h; ++ky) {
    const KernelRow at = kernel_row(w, input, y, x, ky);
    std::int16_t* const row_end = row + w.kernel_w * depth;
    if (at.inside && at.begin < at.end) {
      row = std::fill_n(row, at.begin * depth, std::int16_t{0});
      const std::int16_t* source = image + at.pixel * channels + group * depth;
      if (depth == channels) {
        row = std::copy_n(source, (at.end - at.begin) * depth, row);
      } else {
        for (std::int32_t kx = at.begin; kx < at.end; ++kx, source += channels) {
          row = std::copy_n(source, depth, row);
        }
      }
    }
    std::fill(row, row_end, std::int16_t{0});
    row = row_end;
  }
  if ((std::int64_t{w.kernel_h} * w.kernel_w * depth) % 2 != 0) *row = 0;
}

void multiply_panels(const PanelLayer& layer, const Panels& panels, const std::int16_t* rows,
                     std::int64_t count, std::int8_t* out) {
  for (std::int64_t p = 0; p < panels.count(); ++p) {
    const std::int64_t first = p * kPanel;
    const int used = static_cast<int>(std::min<std::int64_t>(kPanel, panels.outputs - first));
    layer.kernel({rows, count, panels.pairs, out + first, layer.output.channels, used},
                 panels.panel(p), layer.finish);
  }
}

}  // namespace

std::int64_t rows_at_a_time(std::int64_t pairs) {
  return std::clamp<std::int64_t>(16384 / pairs, 4, 64);
}

void convolve(const PanelLayer& layer, const Window& window, const std::int8_t* codes,
              std::int8_t* out, Scratch& scratch) {
  const Tensor& input = layer.input;
  const auto groups = static_cast<std::int64_t>(layer.groups.size());
  const std::int64_t depth = input.channels / groups;
  const std::int64_t pixels = std::int64_t{layer.output.height} * layer.output.width;
  remove_zero_point(codes, input.size(), input.zero_point, scratch.image.data());
  for (std::int64_t g = 0; g < groups; ++g) {
    const Panels& panels = layer.groups[g];
    const std::int64_t tile = rows_at_a_time(panels.pairs);
    for (std::int64_t first = 0; first < pixels; first += tile) {
      const std::int64_t count = std::min(tile, pixels - first);
      for (std::int64_t i = 0; i < count; ++i) {
        const auto y = static_cast<std::int32_t>((first + i) / layer.output.width);
        const auto x = static_cast<std::int32_t>((first + i) % layer.output.width);
        gather(window, input, y, x, g, depth, scratch.image.data(),
               scratch.rows.data() + i * 2 * panels.pairs);
      }
      multiply_panels(layer, panels, scratch.rows.data(), count,
                      out + first * layer.output.channels + g * panels.outputs);
    }
  }
}

void multiply_dense(const PanelLayer& layer, std::int64_t images, const std::int8_t* codes,
                    std::int8_t* out, Scratch& scratch) {
  const Panels& panels = layer.groups[0];
  const std::int64_t size = layer.input.size();
  const std::int64_t tile = rows_at_a_time(panels.pairs);
  for (std::int64_t first = 0; first < images; first += tile) {
    const std::int64_t count = std::min(tile, images - first);
    for (std::int64_t i = 0; i < count; ++i) {
      std::int16_t* row = scratch.rows.data() + i * 2 * panels.pairs;
      remove_zero_point(codes + (first + i) * size, size, layer.input.zero_point, row);
      if (size % 2 != 0) row[size] = 0;
    }
    multiply_panels(layer, panels, scratch.rows.data(), count, out + first * layer.output.channels);
  }
}

}  // namespace pare::integer
