#include "framework/tensor/shape.h"

#include "framework/base/error.h"

namespace pare {

Shape::Shape(std::initializer_list<std::int64_t> extents) {
  for (const std::int64_t extent : extents) append(extent);
}

void Shape::append(std::int64_t extent) {
  PARE_ENSURE(rank_ < kMaxRank && extent >= 0);
  extents_[rank_++] = extent;
}

std::int64_t Shape::size() const { return size_from(0); }

std::int64_t Shape::size_from(int axis) const {
  std::int64_t size = 1;
  for (int i = axis; i < rank_; ++i) size *= extents_[i];
  return size;
}

Shape Shape::with_batch(std::int64_t batch) const {
  PARE_ENSURE(rank_ > 0);
  Shape shape = *this;
  shape.extents_[0] = batch;
  return shape;
}

Shape Shape::without_batch() const {
  Shape shape;
  for (int i = 1; i < rank_; ++i) shape.append(extents_[i]);
  return shape;
}

std::string Shape::to_string() const {
  std::string text = "[";
  for (int i = 0; i < rank_; ++i) text += (i ? ", " : "") + std::to_string(extents_[i]);
  return text + "]";
}

}  // namespace pare
