#include "apps/bench/kernel_rows.h"

#include <memory>

#include "framework/random.h"

namespace pare::bench {
namespace {

struct Arrays {
  std::vector<Tensor> in, out;
};

std::vector<Bytes> bytes_of_all(const std::vector<Tensor>& tensors) {
  std::vector<Bytes> all;
  for (const Tensor& t : tensors) all.push_back(bytes_of(t));
  return all;
}

KernelCall make_call(const ArrayKernel& kernel) {
  const auto arrays = std::make_shared<Arrays>();
  for (const Shape& shape : kernel.reads) {
    arrays->in.push_back(random_tensor(shape, arrays->in.size()));
  }
  for (const Shape& shape : kernel.writes) arrays->out.emplace_back(shape);
  if (kernel.prepare) kernel.prepare(arrays->in);
  return {.call = [arrays, call = kernel.call] { call(arrays->in, arrays->out); },
          .reads = [arrays] { return bytes_of_all(arrays->in); },
          .written = [arrays] { return bytes_of_all(arrays->out); }};
}

}  // namespace

std::string text(const Shape& shape) {
  std::string joined;
  for (int i = 0; i < shape.rank(); ++i) {
    joined += (i > 0 ? "x" : "") + std::to_string(shape[i]);
  }
  return joined;
}

Tensor random_tensor(const Shape& shape, std::uint64_t salt) {
  Random random(1, Stream::test, static_cast<std::uint64_t>(shape.size()), salt);
  Tensor t = Tensor::persistent(shape);
  float* values = t.mutable_data();
  for (std::int64_t i = 0; i < t.size(); ++i) values[i] = random.uniform(-1, 1);
  return t;
}

Bytes bytes_of(const Tensor& tensor) { return std::as_bytes(tensor.values()); }

KernelRow array_row(const ArrayKernel& kernel) {
  double bytes = 0;
  for (const std::vector<Shape>* shapes : {&kernel.reads, &kernel.writes}) {
    for (const Shape& shape : *shapes) bytes += 4.0 * static_cast<double>(shape.size());
  }
  return {kernel.name, kernel.bound, kernel.flops, bytes, [kernel] { return make_call(kernel); }};
}

}  // namespace pare::bench
