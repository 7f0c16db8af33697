#include "apps/bench/kernel_table.h"

#include <memory>
#include <vector>

#include "framework/base/parallel.h"
#include "framework/kernels/conv2d.h"
#include "framework/kernels/dense.h"
#include "framework/kernels/pool.h"
#include "framework/kernels/simd.h"
#include "framework/random.h"
#include "framework/tensor/tensor.h"

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
  const DenseExtents e{batch, in, out};
  const auto row = [&](const char* part, const Shape& a, const Shape& b, const Shape& c,
                       auto kernel) {
    rows.push_back({name + " " + part, Bound::arithmetic, flops, [=] {
                      const Tensor left = random_tensor(a), right = random_tensor(b);
                      auto to = std::make_shared<Tensor>(Tensor::persistent(c));
                      return Call(
                          [=] { kernel(e, left.data(), right.data(), to->mutable_data()); });
                    }});
  };
  const Shape x{batch, in}, w{out, in}, y{batch, out};
  row("forward", x, w, y, [](const DenseExtents& d, const float* a, const float* b, float* c) {
    dense_forward(d, a, b, nullptr, c);
  });
  row("dx", y, w, x, [](const DenseExtents& d, const float* a, const float* b, float* c) {
    dense_input_gradient(d, a, b, c, 0);
  });
  row("dw", x, y, w, [](const DenseExtents& d, const float* a, const float* b, float* c) {
    dense_weight_gradient(d, a, b, c, 0);
  });
}

// Forward and backward of a 2x2 max pool: x and dx once each, y and dy a quarter each, taps twice.
void add_max_pool(Rows& rows, const Shape& x) {
  ImageShape s{x[0], x[1], x[2], x[3], {2, 2, 2, 2, 0, 0, 0, 0}};
  rows.push_back({"max pool 2 " + x.to_string() + " forward and backward", Bound::memory,
                  2.75 * 4.0 * static_cast<double>(x.size()), [=] {
                    const Tensor in = random_tensor(x);
                    auto dx = std::make_shared<Tensor>(Tensor::persistent(x));
                    auto y = std::make_shared<Tensor>(
                        Tensor::persistent({s.batch, s.out_h(), s.out_w(), s.channels}));
                    auto taps = std::make_shared<std::vector<std::uint16_t>>(y->size());
                    return Call([=] {
                      max_pool_forward(s, in.data(), y->mutable_data(), taps->data());
                      max_pool_backward(s, taps->data(), y->data(), dx->mutable_data(), 0);
                    });
                  }});
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
  add_max_pool(rows, {64, 26, 26, 32});
  return rows;
}

}  // namespace

std::span<const KernelRow> kernel_table() {
  static const Rows rows = make_rows();
  return rows;
}

const KernelRow& roof(Bound bound) { return kernel_table()[bound == Bound::arithmetic ? 0 : 1]; }

}  // namespace pare::bench
