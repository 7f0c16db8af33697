// Rows of dense layers and convolutions: forward, dx and dw.
#include "apps/bench/kernel_rows.h"
#include "framework/kernels/conv2d.h"
#include "framework/kernels/dense.h"
#include "framework/kernels/depthwise.h"

namespace pare::bench {
namespace {

using In = const std::vector<Tensor>&;
using Out = std::vector<Tensor>&;

constexpr std::int64_t kColours = 3;  // of the images that a first layer reads

std::string text(std::int64_t n) { return std::to_string(n); }

std::string name_of(const std::string& kind, const ConvShape& s) {
  const Window& w = s.window;
  return kind + " " + text(s.height) + "x" + text(s.width) + "x" + text(s.channels) + " -> " +
         text(s.out_channels) + ", " + text(w.kernel_h) + "x" + text(w.kernel_w) +
         (w.stride_h > 1 ? "/" + text(w.stride_h) : "") + ", B" + text(s.batch);
}

Shape x_of(const ImageShape& s) { return {s.batch, s.height, s.width, s.channels}; }
Shape y_of(const ConvShape& s) { return {s.batch, s.out_h(), s.out_w(), s.out_channels}; }

double flops_of(const ConvShape& s, std::int64_t depth) {
  return 2.0 * static_cast<double>(s.batch * s.y_size() * depth);
}

// Of one product: the tensors of forward; dx is made of (dy, weight), dw of (x, dy).
struct Product {
  std::string name;
  Bound bound;
  double flops;
  Shape x, weight, y;

  KernelRow row(const char* part, const std::vector<Shape>& reads, const Shape& writes,
                std::function<void(In, Out)> call) const {
    return array_row({.name = name + " " + part,
                      .bound = bound,
                      .flops = flops,
                      .reads = reads,
                      .writes = {writes},
                      .call = std::move(call)});
  }

  // A row for each of the three kernels of a layer without bias, for extents of any kind.
  template <class Extents>
  Rows rows(const Extents& e,
            void (*forward_kernel)(const Extents&, const float* x, const float* weight,
                                   const float* bias, float* y),
            void (*dx_kernel)(const Extents&, const float* dy, const float* weight, float* dx,
                              float beta),
            void (*dw_kernel)(const Extents&, const float* x, const float* dy, float* dw,
                              float beta)) const {
    return {
        row("forward", {x, weight}, y,
            [=](In a, Out out) {
              forward_kernel(e, a[0].data(), a[1].data(), nullptr, out[0].mutable_data());
            }),
        row("dx", {y, weight}, x,
            [=](In a, Out dx) { dx_kernel(e, a[0].data(), a[1].data(), dx[0].mutable_data(), 0); }),
        row("dw", {x, y}, weight, [=](In a, Out dw) {
          dw_kernel(e, a[0].data(), a[1].data(), dw[0].mutable_data(), 0);
        })};
  }
};

}  // namespace

Rows dense_rows(std::int64_t batch, std::int64_t in, std::int64_t out) {
  const DenseExtents e{batch, in, out};
  const Product p{"dense " + text(in) + " -> " + text(out) + ", B" + text(batch),
                  Bound::arithmetic,
                  2.0 * static_cast<double>(batch * in * out),
                  {batch, in},
                  {out, in},
                  {batch, out}};
  return p.rows(e, dense_forward, dense_input_gradient, dense_weight_gradient);
}

Rows convolution_rows(const ConvShape& s) {
  const Product p{name_of("conv", s),          Bound::arithmetic,
                  flops_of(s, s.depth()),      x_of(s),
                  {s.out_channels, s.depth()}, y_of(s)};
  Rows rows{p.row("forward", {p.x, p.weight}, p.y, [s](In a, Out y) {
    conv2d_forward(s, a[0].data(), a[1].data(), nullptr, y[0].mutable_data());
  })};
  if (s.channels > kColours) {
    rows.push_back(p.row("dx", {p.y, p.weight}, p.x, [s](In a, Out dx) {
      conv2d_input_gradient(s, a[0].data(), a[1].data(), dx[0].mutable_data(), 0);
    }));
  }
  rows.push_back(p.row("dw", {p.x, p.y}, p.weight, [s](In a, Out dw) {
    conv2d_weight_gradient(s, a[0].data(), a[1].data(), dw[0].mutable_data(), 0);
  }));
  return rows;
}

Rows depthwise_rows(const ConvShape& s) {
  const Product p{name_of("depthwise conv", s),      Bound::memory,
                  flops_of(s, s.window.taps()),      x_of(s),
                  {s.window.taps(), s.out_channels}, y_of(s)};
  return p.rows(s, depthwise_forward, depthwise_input_gradient, depthwise_weight_gradient);
}

Rows convolution_max_pool_rows(const ConvShape& s, const Window& window) {
  const ImageShape pool{s.batch, s.out_h(), s.out_w(), s.out_channels, window};
  const Product p{name_of("conv+bias+max pool " + text(window.kernel_h), s),
                  Bound::arithmetic,
                  flops_of(s, s.depth()),
                  x_of(s),
                  {s.out_channels, s.depth()},
                  {s.batch, pool.out_h(), pool.out_w(), s.out_channels}};
  const Shape bias{s.out_channels};
  const std::int64_t outputs = p.y.size();
  const Shape taps = tap_memory(outputs).shape();
  const auto forward = [s, pool](In a, Out out) {
    conv2d_max_pool_forward(s, pool, a[0].data(), a[1].data(), a[2].data(), out[0].mutable_data(),
                            mutable_taps(out[1]));
  };
  // Which tap of a window was the largest; the last operand of dx and dw.
  const auto find_taps = [=, shapes = p](std::vector<Tensor>& in) {
    std::vector<Tensor> out{Tensor(shapes.y), Tensor(taps)};
    forward({random_tensor(shapes.x), random_tensor(shapes.weight), random_tensor(bias)}, out);
    in[2] = out[1];
  };
  ArrayKernel kernel{.name = p.name + " forward",
                     .bound = p.bound,
                     .flops = p.flops,
                     .reads = {p.x, p.weight, bias},
                     .writes = {p.y, taps},
                     .call = forward};
  Rows rows{array_row(kernel)};
  kernel.prepare = find_taps;
  if (s.channels > kColours) {
    kernel.name = p.name + " dx";
    kernel.reads = {p.y, p.weight, taps};
    kernel.writes = {p.x};
    kernel.call = [s, pool](In a, Out dx) {
      conv2d_input_gradient(s, {a[0].data(), pool, taps_of(a[2])}, a[1].data(),
                            dx[0].mutable_data(), 0);
    };
    rows.push_back(array_row(kernel));
  }
  kernel.name = p.name + " dw";
  kernel.reads = {p.x, p.y, taps};
  kernel.writes = {p.weight};
  kernel.call = [s, pool](In a, Out dw) {
    conv2d_weight_gradient(s, a[0].data(), {a[1].data(), pool, taps_of(a[2])}, dw[0].mutable_data(),
                           0);
  };
  rows.push_back(array_row(kernel));
  return rows;
}

}  // namespace pare::bench
