// The extents of a tensor: at most four, row-major, the last one contiguous.
//
// Conventions everywhere: images [batch, height, width, channels], vectors [batch, features],
// convolution weights [out, kernel_h, kernel_w, in], depthwise weights [1, kernel_h, kernel_w,
// channels], dense weights [out, in].
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace pare {

class Shape {
 public:
  static constexpr int kMaxRank = 4;

  Shape() = default;  // rank 0: a scalar, one element
  Shape(std::initializer_list<std::int64_t> extents);

  int rank() const { return rank_; }
  // Counted from the end where negative: shape[-1] is the last extent.
  std::int64_t operator[](int axis) const { return extents_[axis < 0 ? rank_ + axis : axis]; }
  std::int64_t size() const;  // number of elements
  // Elements from `axis` on: size_from(1) is the size of one image of a batch.
  std::int64_t size_from(int axis) const;
  // The same shape with another first extent.
  Shape with_batch(std::int64_t batch) const;
  // The shape without its first extent.
  Shape without_batch() const;
  void append(std::int64_t extent);

  bool operator==(const Shape& other) const = default;
  std::string to_string() const;  // "[64, 28, 28, 1]"

 private:
  std::array<std::int64_t, kMaxRank> extents_{};  // unused ones stay 0, so that == compares plainly
  int rank_ = 0;
};

}  // namespace pare
