#include "apps/bench/kernel_table.h"

#include <array>
#include <cmath>

#include "apps/bench/kernel_rows.h"

namespace pare::bench {
namespace {

Window square(std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  return {kernel, kernel, stride, stride, pad, pad, pad, pad};
}

ConvShape convolution(std::int64_t batch, std::int64_t extent, std::int64_t in, std::int64_t out,
                      const Window& window) {
  ConvShape s;
  s.batch = batch;
  s.height = s.width = extent;
  s.channels = in;
  s.out_channels = out;
  s.window = window;
  return s;
}

void append(Rows& rows, const Rows& more) { rows.insert(rows.end(), more.begin(), more.end()); }

// Layers of the five networks of `bench train`, others of usual shapes.
void append_products(Rows& rows) {
  const Window three = square(3, 1, 0), three_padded = square(3, 1, 1), five = square(5, 1, 0),
               one = square(1, 1, 0);
  for (const ConvShape& s :
       {convolution(64, 28, 1, 32, three), convolution(64, 28, 1, 20, five),
        convolution(64, 12, 20, 50, five), convolution(64, 32, 3, 16, three_padded),
        convolution(64, 16, 16, 32, three_padded), convolution(128, 32, 16, 16, three_padded),
        convolution(128, 32, 16, 32, square(3, 2, 1)), convolution(128, 16, 32, 32, three_padded),
        convolution(128, 8, 64, 64, three_padded), convolution(128, 32, 16, 32, square(1, 2, 0)),
        convolution(64, 16, 32, 64, one), convolution(64, 8, 128, 128, one),
        convolution(1, 28, 32, 64, three_padded)}) {
    append(rows, convolution_rows(s));
  }
  const Window halves = square(2, 2, 0);
  append(rows, convolution_max_pool_rows(convolution(64, 28, 1, 32, three), halves));
  append(rows, convolution_max_pool_rows(convolution(64, 16, 16, 32, three_padded), halves));
  append(rows, depthwise_rows(convolution(128, 32, 64, 64, square(3, 2, 1))));
  append(rows, depthwise_rows(convolution(128, 16, 96, 96, three_padded)));
  append(rows, depthwise_rows(convolution(128, 16, 96, 96, square(3, 2, 1))));
  append(rows, depthwise_rows(convolution(128, 8, 128, 128, three_padded)));
  for (const auto& [batch, in, out] : {std::array<std::int64_t, 3>{64, 784, 300},
                                       {128, 784, 300},
                                       {64, 5408, 128},
                                       {64, 800, 500},
                                       {64, 2048, 1024}}) {
    append(rows, dense_rows(batch, in, out));
  }
}

void append_activations(Rows& rows) {
  append(rows, max_pool_rows({64, 26, 26, 32, square(2, 2, 0)}));
  append(rows, average_pool_rows({64, 24, 24, 32, square(2, 2, 0)}));
  append(rows, average_pool_rows({128, 8, 8, 64, square(8, 1, 0)}));
  append(rows, relu_rows({64, 26, 26, 32}));
  append(rows, batch_norm_rows({128, 32, 32, 16}, true));
  append(rows, batch_norm_rows({128, 32, 32, 16}, false));
  append(rows, batch_norm_rows({128, 8, 8, 64}, true));
  append(rows, batch_norm_rows({128, 16, 16, 96}, true));
  append(rows, add_rows({128, 32, 32, 16}, true));
  append(rows, add_rows({128, 32, 32, 16}, false));
  append(rows, add_rows({128, 8, 8, 64}, true));
}

void append_compression(Rows& rows) {
  const Shape activations{64, 13, 13, 32}, weights{128, 5408};
  for (const char* quantizer : {"uniform", "lsq"}) {
    append(rows, fake_quant_rows(quantizer, activations, false));
    append(rows, fake_quant_rows(quantizer, weights, true));
  }
  append(rows, observer_rows(activations, false));
  append(rows, observer_rows(weights, true));
  append(rows, mask_rows(weights));
}

Rows make_rows() {
  Rows rows = roof_rows();
  append_products(rows);
  append_activations(rows);
  append_compression(rows);
  append(rows, optimizer_rows({128, 5408}));
  append(rows, optimizer_rows({1024, 2048}));
  return rows;
}

}  // namespace

std::span<const KernelRow> kernel_table() {
  static const Rows rows = make_rows();
  return rows;
}

const KernelRow& roof_of(const KernelRow& kernel) {
  static const std::size_t count = roof_rows().size();
  const std::span<const KernelRow> roofs = kernel_table().first(count);
  if (kernel.bound == Bound::arithmetic) return roofs[0];
  const KernelRow* nearest = &roofs[1];
  const auto distance = [&](const KernelRow& roof) {
    return std::abs(std::log(roof.bytes / kernel.bytes));
  };
  for (const KernelRow& roof : roofs.subspan(1)) {
    if (distance(roof) < distance(*nearest)) nearest = &roof;
  }
  return *nearest;
}

}  // namespace pare::bench
