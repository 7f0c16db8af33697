#include "apps/bench/kernel_table.h"

#include <memory>
#include <vector>

#include "framework/base/parallel.h"
#include "framework/kernels/conv2d.h"
#include "framework/kernels/depthwise.h"
#include "framework/kernels/gemm.h"
#include "framework/kernels/simd.h"
#include "framework/ops/ops.h"

namespace pare::bench {
namespace {

using Call = std::function<void()>;
using Rows = std::vector<KernelRow>;

std::string text(std::int64_t n) { return std::to_string(n); }

Tensor random_tensor(const Shape& shape) {
  Random random(1, Stream::test, static_cast<std::uint64_t>(shape.size()));
  Tensor t = Tensor::persistent(shape);
  for (std::int64_t i = 0; i < t.size(); ++i) t.mutable_data()[i] = random.uniform(-1, 1);
  return t;
}

// Twelve independent chains of multiply-adds: enough to hide the latency of each.
constexpr int kChains = 12;
constexpr int kLinks = 4096;

float chains(float start) {
  simd::Floats sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = simd::broadcast(start + static_cast<float>(i));
  const simd::Floats factor = simd::broadcast(0.999f), term = simd::broadcast(0.001f);
  for (int link = 0; link < kLinks; ++link) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = simd::fma(sums[i], factor, term);
  }
  float total = 0;
  for (int i = 0; i < kChains; ++i) total += sums[i][0];
  return total;
}

void add_roofs(Rows& rows) {
  const double flops = 2.0 * kChains * kLinks * simd::kLanes * 16;
  rows.push_back({"roof: multiply-adds", Bound::arithmetic, flops, [] {
                    auto results = std::make_shared<std::vector<float>>(16);
                    return [results] {
                      parallel_for(16, [&](std::int64_t i) {
                        (*results)[static_cast<std::size_t>(i)] = chains(static_cast<float>(i));
                      });
                    };
                  }});
  constexpr std::int64_t kFloats = 1 << 20;  // in the caches of a core or two
  rows.push_back({"roof: copy of 4 MB", Bound::memory, 8.0 * kFloats, [] {
                    const Tensor from = random_tensor({kFloats});
                    auto to = std::make_shared<Tensor>(Tensor::persistent({kFloats}));
                    return [from, to] {
                      float* out = to->mutable_data();
                      parallel_tiles(kFloats, 16384, [&](std::int64_t begin, std::int64_t end) {
                        std::copy(from.data() + begin, from.data() + end, out + begin);
                      });
                    };
                  }});
}

struct Conv {
  std::int64_t batch, extent, in, out, kernel, stride, pad;
};

void add_convolution(Rows& rows, const Conv& c) {
  ConvShape s;
  s.batch = c.batch;
  s.height = s.width = c.extent;
  s.channels = c.in;
  s.out_channels = c.out;
  s.window = {c.kernel, c.kernel, c.stride, c.stride, c.pad, c.pad, c.pad, c.pad};
  const double flops = 2.0 * static_cast<double>(s.batch * s.y_size() * s.depth());
  const std::string name = "conv " + text(c.extent) + "x" + text(c.extent) + "x" + text(c.in) +
                           " -> " + text(c.out) + ", " + text(c.kernel) + "x" + text(c.kernel) +
                           (c.stride > 1 ? "/" + text(c.stride) : "") + ", B" + text(c.batch);
  const Shape x{s.batch, s.height, s.width, s.channels}, w{s.out_channels, s.depth()},
      y{s.batch, s.out_h(), s.out_w(), s.out_channels};
  const auto row = [&](const char* part, const Shape& a, const Shape& b, const Shape& out,
                       auto kernel) {
    rows.push_back({name + " " + part, Bound::arithmetic, flops, [=] {
                      const Tensor left = random_tensor(a), right = random_tensor(b);
                      auto to = std::make_shared<Tensor>(Tensor::persistent(out));
                      return Call(
                          [=] { kernel(s, left.data(), right.data(), to->mutable_data()); });
                    }});
  };
  row("forward", x, w, y, [](const ConvShape& shape, const float* a, const float* b, float* out) {
    conv2d_forward(shape, a, b, nullptr, out);
  });
  if (c.in > 3) {  // the first layer of a network needs none
    row("dx", y, w, x, [](const ConvShape& shape, const float* a, const float* b, float* out) {
      conv2d_input_gradient(shape, a, b, out, 0);
    });
  }
  row("dw", x, y, w, [](const ConvShape& shape, const float* a, const float* b, float* out) {
    conv2d_weight_gradient(shape, a, b, out, 0);
  });
}

void add_dense(Rows& rows, std::int64_t batch, std::int64_t in, std::int64_t out) {
  const std::string name = "dense " + text(in) + " -> " + text(out) + ", B" + text(batch);
  const double flops = 2.0 * static_cast<double>(batch * in * out);
  const auto row = [&](const char* part, Transpose a, Transpose b, std::int64_t m, std::int64_t n,
                       std::int64_t k) {
    rows.push_back({name + " " + part, Bound::arithmetic, flops, [=] {
                      const Tensor left = random_tensor({m, k}), right = random_tensor({k, n});
                      auto to = std::make_shared<Tensor>(Tensor::persistent({m, n}));
                      return Call([=] {
                        gemm(a, b, m, n, k, left.data(), a == Transpose::no ? k : m, right.data(),
                             b == Transpose::no ? n : k, 0, to->mutable_data(), n);
                      });
                    }});
  };
  row("forward", Transpose::no, Transpose::yes, batch, out, in);
  row("dx", Transpose::no, Transpose::no, batch, in, out);
  row("dw", Transpose::yes, Transpose::no, out, in, batch);
}

// Gradient of y with respect to what it was made of, with dy = y.
Variable seed_gradient(const Variable& y) {
  return record("seed_gradient", Tensor::full(Shape{1}, 0), {y},
                [dy = y.value()](const Tensor&, Gradients& gradients) { gradients.give(0, dy); });
}

// An op that passes over x: `passes` tensors of its size are read or written, forward and backward.
void add_pass(Rows& rows, const std::string& name, const Shape& x, double passes,
              const std::function<Variable(const Variable&)>& op) {
  rows.push_back({name + " " + x.to_string() + " forward and backward", Bound::memory,
                  passes * 4.0 * static_cast<double>(x.size()), [=] {
                    const Tensor in = random_tensor(x);
                    return Call([=] { backward(seed_gradient(op(Variable(in, true)))); });
                  }});
}

void add_passes(Rows& rows, const Shape& x) {
  const Window half{2, 2, 2, 2, 0, 0, 0, 0};
  const Variable scale(Tensor::full(Shape{x[-1]}, 1)), shift(Tensor::full(Shape{x[-1]}, 0));
  add_pass(rows, "relu", x, 5, relu);
  add_pass(rows, "max pool 2", x, 2.75, [=](const Variable& v) { return max_pool2d(v, half); });
  add_pass(rows, "batch norm", x, 9, [=](const Variable& v) {
    Tensor mean, variance;
    return batch_norm_train(v, scale, shift, 1e-3f, mean, variance);
  });
}

Rows make_rows() {
  Rows rows;
  add_roofs(rows);
  for (const Conv& c :
       {Conv{64, 28, 1, 32, 3, 1, 0}, Conv{64, 28, 1, 20, 5, 1, 0}, Conv{64, 12, 20, 50, 5, 1, 0},
        Conv{64, 32, 3, 16, 3, 1, 1}, Conv{64, 16, 16, 32, 3, 1, 1}, Conv{128, 32, 16, 16, 3, 1, 1},
        Conv{128, 32, 16, 32, 3, 2, 1}, Conv{128, 16, 32, 32, 3, 1, 1},
        Conv{128, 8, 64, 64, 3, 1, 1}, Conv{128, 32, 16, 32, 1, 2, 0},
        Conv{64, 16, 32, 64, 1, 1, 0}, Conv{1, 28, 32, 64, 3, 1, 1}}) {
    add_convolution(rows, c);
  }
  add_dense(rows, 64, 784, 300);
  add_dense(rows, 128, 784, 300);
  add_dense(rows, 64, 5408, 128);
  add_dense(rows, 64, 800, 500);
  add_dense(rows, 64, 2048, 1024);
  add_passes(rows, {64, 26, 26, 32});
  add_passes(rows, {128, 32, 32, 16});
  return rows;
}

}  // namespace

std::span<const KernelRow> kernel_table() {
  static const Rows rows = make_rows();
  return rows;
}

const KernelRow& roof(Bound bound) { return kernel_table()[bound == Bound::arithmetic ? 0 : 1]; }

}  // namespace pare::bench
