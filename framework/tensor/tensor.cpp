#include "framework/tensor/tensor.h"

#include <algorithm>

#include "framework/base/error.h"

namespace pare {

Tensor Tensor::persistent(const Shape& shape) {
  Tensor tensor(shape, Storage::Kind::heap);
  std::fill_n(tensor.mutable_data(), tensor.size(), 0.0f);
  return tensor;
}

Tensor Tensor::zeros(const Shape& shape) { return full(shape, 0.0f); }

Tensor Tensor::full(const Shape& shape, float value) {
  Tensor tensor(shape);
  std::fill_n(tensor.mutable_data(), tensor.size(), value);
  return tensor;
}

Tensor Tensor::from(const Shape& shape, std::span<const float> values) {
  PARE_ENSURE(shape.size() == static_cast<std::int64_t>(values.size()));
  Tensor tensor(shape, Storage::Kind::heap);
  std::copy(values.begin(), values.end(), tensor.mutable_data());
  return tensor;
}

float* Tensor::mutable_data() {
  PARE_ENSURE(unique());
  return storage_->data();
}

Tensor Tensor::reshaped(const Shape& shape) const {
  PARE_ENSURE(shape.size() == size());
  Tensor view = *this;
  view.shape_ = shape;
  return view;
}

Tensor Tensor::clone() const { return from(shape_, values()); }

float Tensor::item() const {
  PARE_ENSURE(size() == 1);
  return data()[0];
}

}  // namespace pare
