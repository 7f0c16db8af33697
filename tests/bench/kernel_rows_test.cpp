// The rows of `bench kernels` count what their kernels do, and do all that they count.
#include "apps/bench/kernel_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "framework/reference/conv.h"
#include "framework/reference/dense.h"
#include "framework/tensor/storage.h"

namespace pare::bench {
namespace {

// A number that counts the multiplications and additions made with it.
struct Counted {
  static inline std::int64_t operations = 0;
  float value = 0;
  Counted() = default;
  explicit Counted(int x) : value(static_cast<float>(x)) {}
  Counted operator*(Counted other) const {
    ++operations;
    other.value *= value;
    return other;
  }
  Counted& operator+=(Counted other) {
    ++operations;
    value += other.value;
    return *this;
  }
};
using Numbers = std::vector<Counted>;

Numbers numbers(std::int64_t count) { return Numbers(static_cast<std::size_t>(count)); }

template <class F>
double operations_of(const F& f) {
  Counted::operations = 0;
  f();
  return static_cast<double>(Counted::operations);
}

ConvShape convolution(std::int64_t channels, std::int64_t out, const Window& window) {
  ConvShape s;
  s.batch = 2;
  s.height = s.width = 8;
  s.channels = channels;
  s.out_channels = out;
  s.window = window;
  return s;
}

Window square(std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  return {kernel, kernel, stride, stride, pad, pad, pad, pad};
}

const Window kHalves = square(2, 2, 0);

// Every kind of row, on shapes so small that each can be run a few times.
Rows small_rows() {
  Rows rows;
  const auto append = [&](const Rows& more) { rows.insert(rows.end(), more.begin(), more.end()); };
  append(dense_rows(8, 24, 16));
  append(convolution_rows(convolution(8, 16, square(3, 1, 1))));
  append(convolution_rows(convolution(3, 16, square(5, 1, 0))));
  append(convolution_rows(convolution(4, 16, square(1, 2, 0))));
  append(depthwise_rows(convolution(16, 16, square(3, 1, 1))));
  append(convolution_max_pool_rows(convolution(4, 16, square(3, 1, 1)), kHalves));
  append(convolution_max_pool_rows(convolution(1, 16, square(3, 1, 1)), kHalves));
  append(max_pool_rows({2, 8, 8, 16, kHalves}));
  append(average_pool_rows({2, 8, 8, 16, kHalves}));
  append(relu_rows({2, 5, 5, 8}));
  for (const bool with_relu : {false, true}) {
    append(add_rows({2, 5, 5, 8}, with_relu));
    append(batch_norm_rows({2, 5, 5, 8}, with_relu));
  }
  for (const bool channels : {false, true}) {
    append(fake_quant_rows("uniform", {6, 40}, channels));
    append(fake_quant_rows("lsq", {6, 40}, channels));
    append(observer_rows({6, 40}, channels));
  }
  append(mask_rows({6, 40}));
  append(optimizer_rows({6, 40}));
  return rows;
}

double size_of(const std::vector<Bytes>& all) {
  double sum = 0;
  for (const Bytes bytes : all) sum += static_cast<double>(bytes.size());
  return sum;
}

// What a call writes, with read number `cleared` set to zero (-1: none).
std::vector<std::byte> written(const KernelRow& row, int cleared) {
  const KernelCall kernel = row.make();
  if (kernel.before) kernel.before();
  if (cleared >= 0) {
    const Bytes operand = kernel.reads()[static_cast<std::size_t>(cleared)];
    std::memset(const_cast<std::byte*>(operand.data()), 0, operand.size());
  }
  kernel.call();
  std::vector<std::byte> all;
  for (const Bytes bytes : kernel.written()) all.insert(all.end(), bytes.begin(), bytes.end());
  return all;
}

struct StepMemoryOfNaN {
  StepMemoryOfNaN() { set_memory_fill(0xff); }
  ~StepMemoryOfNaN() { set_memory_fill(-1); }
};

}  // namespace

TEST_CASE("the operations of a dense layer are those of its definition") {
  const reference::DenseShape s{8, 24, 16};
  const Numbers x = numbers(8 * 24), w = numbers(16 * 24), y = numbers(8 * 16);
  const Rows rows = dense_rows(8, 24, 16);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].flops == operations_of([&] { reference::dense(s, x, w, {}); }));
  const double biases = 8 * 16;
  CHECK(rows[1].flops + rows[2].flops + biases ==
        operations_of([&] { reference::dense_backward(s, x, w, y); }));
}

TEST_CASE("the operations of a convolution are those of its definition where nothing is padded") {
  for (const Window& window : {square(3, 1, 0), square(1, 1, 0), square(3, 2, 0)}) {
    const ConvShape s = convolution(4, 16, window);
    const Numbers x = numbers(2 * s.image_size()), w = numbers(16 * s.depth()),
                  taps = numbers(s.window.taps() * 16), y = numbers(2 * s.y_size());
    const auto biases = static_cast<double>(2 * s.y_size());
    const Rows rows = convolution_rows(s);
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].flops == operations_of([&] { reference::conv2d(s, x, w, {}); }));
    CHECK(rows[1].flops + rows[2].flops + biases ==
          operations_of([&] { reference::conv2d_backward(s, x, w, y); }));
    for (const KernelRow& row : convolution_max_pool_rows(s, kHalves)) {
      CHECK(row.flops == rows[0].flops);
    }
    ConvShape depthwise = s;
    depthwise.channels = 16;
    const Numbers images = numbers(2 * depthwise.image_size());
    const Rows of_depthwise = depthwise_rows(depthwise);
    CHECK(of_depthwise[0].flops ==
          operations_of([&] { reference::depthwise_conv2d(depthwise, images, taps, {}); }));
    CHECK(of_depthwise[1].flops + of_depthwise[2].flops + biases ==
          operations_of([&] { reference::depthwise_conv2d_backward(depthwise, images, taps, y); }));
  }
}

TEST_CASE("a row's bytes are those of the arrays that its call reads and writes") {
  for (const KernelRow& row : small_rows()) {
    CAPTURE(row.name);
    const KernelCall kernel = row.make();
    if (kernel.before) kernel.before();
    const double reads = size_of(kernel.reads());
    kernel.call();
    CHECK(row.bytes == reads + size_of(kernel.written()));
  }
}

TEST_CASE("every operand of a row matters to its results") {
  for (const KernelRow& row : small_rows()) {
    CAPTURE(row.name);
    const std::vector<std::byte> usual = written(row, -1);
    CHECK(written(row, -1) == usual);
    const KernelCall kernel = row.make();
    if (kernel.before) kernel.before();
    const int operands = static_cast<int>(kernel.reads().size());
    CHECK(operands > 0);
    for (int i = 0; i < operands; ++i) {
      CAPTURE(i);
      CHECK(written(row, i) != usual);
    }
  }
}

TEST_CASE("a call writes all of its results") {
  const StepMemoryOfNaN filled;
  for (const KernelRow& row : small_rows()) {
    CAPTURE(row.name);
    const std::vector<std::byte> all = written(row, -1);
    REQUIRE(!all.empty());
    std::int64_t left = 0;
    for (std::size_t i = 0; i + 4 <= all.size(); i += 4) {
      std::uint32_t word;
      std::memcpy(&word, &all[i], sizeof word);
      left += word == 0xffffffff ? 1 : 0;
    }
    CHECK(left == 0);
  }
}

TEST_CASE("a call can be repeated") {
  for (const KernelRow& row : small_rows()) {
    CAPTURE(row.name);
    const KernelCall kernel = row.make();
    for (int i = 0; i < 3; ++i) {
      if (kernel.before) kernel.before();
      kernel.call();
    }
    CHECK(!kernel.written().empty());
  }
}

TEST_CASE("rows of the table have names and work of their own") {
  std::set<std::string> names;
  for (const KernelRow& row : kernel_table()) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(row.work() > 0);
    CHECK(row.bytes > 0);
  }
}

// gcc 12 once padded this window: cmake/PareTarget.cmake.
TEST_CASE("a pointwise layer of the table is not padded") {
  const auto is_it = [](const KernelRow& row) {
    return row.name == "conv 16x16x32 -> 64, 1x1, B64 forward";
  };
  const auto row = std::find_if(kernel_table().begin(), kernel_table().end(), is_it);
  REQUIRE(row != kernel_table().end());
  CHECK(row->flops == 2.0 * 64 * 16 * 16 * 64 * 32);
}

TEST_CASE("a kernel is measured against the roof of its bound and of its cache") {
  for (const KernelRow& roof : roof_rows()) CHECK(roof_of(roof).name == roof.name);
  CHECK(roof_of(dense_rows(64, 784, 300)[0]).name == "roof: multiply-adds");
  CHECK(roof_of(mask_rows({1 << 10})[0]).name == "roof: copy of 256 KB");
  CHECK(roof_of(mask_rows({1 << 20})[0]).name == "roof: copy of 4 MB");
  CHECK(roof_of(mask_rows({1 << 26})[0]).name == "roof: copy of 64 MB");
}

}  // namespace pare::bench
