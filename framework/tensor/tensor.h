// Tensor: float32 values under a shape. A cheap shared handle.
//
// Invariants:
//  1. Data is not changed once two handles can see it: mutable_data() requires sole ownership (a
//  failed check is our
//     bug, never a silent copy).
//  2. Data is contiguous, row-major and 64-byte aligned.
//  3. A default-constructed Tensor is undefined: it has no data and may only be assigned or asked
//  defined().
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "framework/tensor/shape.h"
#include "framework/tensor/storage.h"

namespace pare {

class Tensor {
 public:
  Tensor() = default;
  // Step memory (storage.h), contents unspecified.
  explicit Tensor(const Shape& shape) : Tensor(shape, Storage::Kind::step) {}
  // Heap memory for what outlives a step, all zero.
  static Tensor persistent(const Shape& shape);
  static Tensor zeros(const Shape& shape);  // step memory
  static Tensor full(const Shape& shape, float value);
  static Tensor from(const Shape& shape, std::span<const float> values);  // heap memory

  Tensor(const Tensor& other) : shape_(other.shape_), storage_(other.storage_) {
    if (storage_) storage_->retain();
  }
  Tensor(Tensor&& other) noexcept
      : shape_(other.shape_), storage_(std::exchange(other.storage_, nullptr)) {}
  Tensor& operator=(Tensor other) noexcept {
    std::swap(shape_, other.shape_);
    std::swap(storage_, other.storage_);
    return *this;
  }
  ~Tensor() {
    if (storage_) storage_->release();
  }

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  std::int64_t size() const { return shape_.size(); }
  const float* data() const { return storage_->data(); }
  std::span<const float> values() const { return {data(), static_cast<std::size_t>(size())}; }
  // Requires that this is the only handle.
  float* mutable_data();
  bool unique() const { return storage_ && storage_->unique(); }

  // The same data under another shape of the same size.
  Tensor reshaped(const Shape& shape) const;
  // A copy in heap memory.
  Tensor clone() const;
  // The value of a tensor with one element.
  float item() const;

 private:
  Tensor(const Shape& shape, Storage::Kind kind)
      : shape_(shape), storage_(Storage::allocate(shape.size(), kind)) {}
  Shape shape_;
  Storage* storage_ = nullptr;
};

}  // namespace pare
