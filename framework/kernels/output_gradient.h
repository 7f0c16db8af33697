// OutputGradient: where the gradient kernels of a convolution take dy from. It lies in memory, or
// it is that of a max pool behind the convolution, from which it is made again a few images at a
// time: the tensor between the two, the largest of many a network, then never exists.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/kernels/pool.h"

namespace pare {

class OutputGradient {
 public:
  // [batch, out_h, out_w, out] of the convolution.
  OutputGradient(const float* dy) : dy_(dy) {}  // NOLINT: a plain pointer is the usual case
  // dy [batch, pooled pixels, out] and the taps of max_pool_forward; `pool` reads the convolution's
  // output.
  OutputGradient(const float* dy, const ImageShape& pool, const std::uint16_t* taps)
      : dy_(dy), pool_(pool), taps_(taps) {}

  // [count, out_h, out_w, out]: of images [first, first + count), whose size is `image_size`; in
  // `scratch` where it has to be made.
  const float* images(std::int64_t first, std::int64_t count, std::int64_t image_size,
                      std::vector<float>& scratch) const {
    if (taps_ == nullptr) return dy_ + first * image_size;
    scratch.resize(static_cast<std::size_t>(count * image_size));
    const std::int64_t pooled = pool_.out_pixels() * pool_.channels;
    ImageShape some = pool_;
    some.batch = count;
    max_pool_backward(some, taps_ + first * pooled, dy_ + first * pooled, scratch.data(), 0);
    return scratch.data();
  }

 private:
  const float* dy_;
  ImageShape pool_;
  const std::uint16_t* taps_ = nullptr;
};

}  // namespace pare
