#include "compression/lower/exact_sums.h"

#include <algorithm>

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/kernels/gemm.h"

namespace pare {
namespace {

// The patch under each output pixel of one group, [pixels][taps]; zero outside the image.
void gather(const SumsLayout& l, const float* image, std::int64_t group,
            std::vector<float>& patches) {
  const Window& w = l.window;
  const std::int64_t per_group = l.channels / l.groups;
  float* to = patches.data();
  for (std::int64_t oy = 0; oy < w.out_h(l.height); ++oy) {
    for (std::int64_t ox = 0; ox < w.out_w(l.width); ++ox) {
      for (std::int64_t ky = 0; ky < w.kernel_h; ++ky) {
        for (std::int64_t kx = 0; kx < w.kernel_w; ++kx, to += per_group) {
          const std::int64_t y = oy * w.stride_h - w.pad_top + ky;
          const std::int64_t x = ox * w.stride_w - w.pad_left + kx;
          if (y < 0 || y >= l.height || x < 0 || x >= l.width) {
            std::fill_n(to, per_group, 0.0f);
          } else {
            std::copy_n(image + (y * l.width + x) * l.channels + group * per_group, per_group, to);
          }
        }
      }
    }
  }
}

}  // namespace

std::vector<std::uint32_t> exact_sums(const SumsLayout& l, std::span<const float> weights,
                                      std::span<const float> x) {
  const Window& w = l.window;
  const std::int64_t taps = w.kernel_h * w.kernel_w * (l.channels / l.groups);
  const std::int64_t pixels = w.out_h(l.height) * w.out_w(l.width);
  const std::int64_t image_size = l.height * l.width * l.channels;
  const std::int64_t images = static_cast<std::int64_t>(x.size()) / image_size;
  const std::int64_t filters = l.out_channels / l.groups;
  const std::int64_t chunk = l.wide_weights ? 256 : 512;
  PARE_ENSURE(static_cast<std::int64_t>(weights.size()) == l.out_channels * taps);
  // A dense layer is one pixel an image: rows of several images then share one product.
  const bool whole_image = pixels == 1 && w.kernel_h == l.height && w.kernel_w == l.width &&
                           w.pad_top == 0 && w.pad_left == 0;
  const std::int64_t together = whole_image && l.groups == 1 ? 64 : 1;
  std::vector<std::uint32_t> sums(static_cast<std::size_t>(images * pixels * l.out_channels), 0);
  parallel_tiles(images, together, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t rows = (end - begin) * pixels;
    std::vector<float> patches(static_cast<std::size_t>(together == 1 ? pixels * taps : 0));
    std::vector<float> product(static_cast<std::size_t>(rows * filters));
    for (std::int64_t g = 0; g < l.groups; ++g) {
      const float* left = x.data() + begin * image_size;
      if (together == 1) {
        gather(l, left, g, patches);
        left = patches.data();
      }
      for (std::int64_t k = 0; k < taps; k += chunk) {
        const std::int64_t depth = std::min(chunk, taps - k);
        gemm_serial(Transpose::no, Transpose::yes, rows, filters, depth, left + k, taps,
                    weights.data() + g * filters * taps + k, taps, 0.0f, product.data(), filters);
        for (std::int64_t r = 0; r < rows; ++r) {
          std::uint32_t* to = sums.data() + (begin * pixels + r) * l.out_channels + g * filters;
          for (std::int64_t f = 0; f < filters; ++f) {
            const float exact = product[static_cast<std::size_t>(r * filters + f)];
            to[f] += static_cast<std::uint32_t>(static_cast<std::int32_t>(exact));
          }
        }
      }
    }
  });
  return sums;
}

}  // namespace pare
