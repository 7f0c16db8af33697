// Augmentation: random changes of a training image that keep its label. They work on bytes and fill
// with 0, before normalisation, so an augmented image is one that the camera could have taken. On
// images of floats, which are normalised already, they fill with what 0 became.
//
// A new kind is one alternative in Augmentation::describe and one row of the table in augment.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "framework/config/forward.h"
#include "framework/random.h"
#include "framework/tensor/shape.h"

namespace pare {

struct Augmentation {
  std::string kind;
  std::int64_t pixels = 2;   // shift: at most this far, each way
  std::int64_t padding = 4;  // crop
  double degrees = 10;       // rotate: at most this far, each way
  std::int64_t size = 8;     // cutout: side of the square

  void describe(config::Object& o);
};

// All of them in order, on images of one shape. Holds scratch memory: one per thread or tile of
// work. Pixel: std::uint8_t or float.
template <class Pixel>
class Augmenter {
 public:
  // `shape` is [height, width, channels]; `list` must outlive the augmenter; `fill` has one value
  // per channel (none: 0).
  Augmenter(const Shape& shape, std::span<const Augmentation> list,
            std::span<const Pixel> fill = {});

  // The result is `image` itself where the list is empty, and valid until the next call. `random`
  // is used up.
  std::span<const Pixel> apply(std::span<const Pixel> image, Random random);

 private:
  Shape shape_;
  std::span<const Augmentation> list_;
  std::vector<Pixel> blank_;  // an image of nothing but `fill`
  std::vector<Pixel> scratch_[2];
};

extern template class Augmenter<std::uint8_t>;
extern template class Augmenter<float>;

}  // namespace pare
