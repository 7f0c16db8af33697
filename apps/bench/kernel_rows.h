// The rows of `bench kernels`, by kind of kernel; shapes are the caller's. kernel_table.cpp puts
// them together.
//
// Products (dense, convolutions) are counted in floating-point operations, as if every tap lay
// inside the image and by the direct formula, however they are computed. What passes over memory is
// counted in bytes: every operand once read, every result once written. A kernel that passes twice
// over an operand is slower by that count, and a closure that only hands a gradient on has no row.
#pragma once

#include <string>
#include <vector>

#include "apps/bench/kernel_table.h"
#include "framework/ops/window.h"
#include "framework/tensor/tensor.h"

namespace pare::bench {

using Rows = std::vector<KernelRow>;

// "64x26x26x32"
std::string text(const Shape& shape);

// Uniform in [-1, 1); `salt` tells tensors of one size apart.
Tensor random_tensor(const Shape& shape, std::uint64_t salt = 0);
Bytes bytes_of(const Tensor& tensor);

// A kernel on arrays: one row.
struct ArrayKernel {
  std::string name;
  Bound bound;
  double flops = 0;
  std::vector<Shape> reads, writes;
  std::function<void(const std::vector<Tensor>& in, std::vector<Tensor>& out)> call;
  // Makes operands that random numbers cannot stand for, once.
  std::function<void(std::vector<Tensor>& in)> prepare = {};
};
KernelRow array_row(const ArrayKernel& kernel);

Rows roof_rows();  // multiply-adds; copies of 256 KB, 4 MB, 64 MB

// products.cpp. Forward, dx and dw of each; dx not for images of up to three channels, which only
// the first layer of a network reads.
Rows dense_rows(std::int64_t batch, std::int64_t in, std::int64_t out);
Rows convolution_rows(const ConvShape& shape);
Rows depthwise_rows(const ConvShape& shape);  // in bytes: 9 products per value cost less than those
// With bias, and the max pool behind it, as one: what lies between the two is never in memory.
Rows convolution_max_pool_rows(const ConvShape& shape, const Window& pool);

// pools.cpp. Forward and backward of each.
Rows max_pool_rows(const ImageShape& shape);
Rows average_pool_rows(const ImageShape& shape);

// elementwise.cpp. Forward and backward of each, but for the sum, whose gradient is handed on.
Rows relu_rows(const Shape& shape);
Rows add_rows(const Shape& shape, bool relu);
Rows batch_norm_rows(const Shape& shape, bool relu);

// compressed.cpp. `channels`: a grid per first index, as weights have; else one, as activations.
// Forward and backward of fake-quantizers and masks.
Rows fake_quant_rows(const std::string& quantizer, const Shape& shape, bool channels);
Rows observer_rows(const Shape& shape, bool channels);
Rows mask_rows(const Shape& shape);

// optimizers.cpp. One update of one parameter: SGD with momentum, Adam.
Rows optimizer_rows(const Shape& shape);

}  // namespace pare::bench
