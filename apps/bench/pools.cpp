// Rows of pools.
#include "apps/bench/kernel_rows.h"
#include "framework/kernels/pool.h"

namespace pare::bench {
namespace {

using In = const std::vector<Tensor>&;
using Out = std::vector<Tensor>&;

Shape x_of(const ImageShape& s) { return {s.batch, s.height, s.width, s.channels}; }
Shape y_of(const ImageShape& s) { return {s.batch, s.out_h(), s.out_w(), s.channels}; }

std::string name_of(const char* kind, const ImageShape& s) {
  return std::string(kind) + " pool " + std::to_string(s.window.kernel_h) + ", " + text(x_of(s));
}

}  // namespace

Rows max_pool_rows(const ImageShape& s) {
  const std::string name = name_of("max", s);
  const Shape taps = tap_memory(y_of(s).size()).shape();
  const auto forward = [s](In in, Out out) {
    max_pool_forward(s, in[0].data(), out[0].mutable_data(), mutable_taps(out[1]));
  };
  const auto backward = [s](In in, Out dx) {
    max_pool_backward(s, taps_of(in[1]), in[0].data(), dx[0].mutable_data(), 0);
  };
  return {array_row({.name = name + " forward",
                     .bound = Bound::memory,
                     .reads = {x_of(s)},
                     .writes = {y_of(s), taps},
                     .call = forward}),
          array_row({.name = name + " backward",
                     .bound = Bound::memory,
                     .reads = {y_of(s), taps},
                     .writes = {x_of(s)},
                     .call = backward,
                     .prepare = [s, taps, forward](std::vector<Tensor>& in) {
                       std::vector<Tensor> out{Tensor(y_of(s)), Tensor(taps)};
                       forward({random_tensor(x_of(s))}, out);
                       in[1] = out[1];
                     }})};
}

Rows average_pool_rows(const ImageShape& s) {
  const std::string name = name_of("average", s);
  return {array_row(
              {.name = name + " forward",
               .bound = Bound::memory,
               .reads = {x_of(s)},
               .writes = {y_of(s)},
               .call = [s](In in,
                           Out y) { average_pool_forward(s, in[0].data(), y[0].mutable_data()); }}),
          array_row({.name = name + " backward",
                     .bound = Bound::memory,
                     .reads = {y_of(s)},
                     .writes = {x_of(s)},
                     .call = [s](In in, Out dx) {
                       average_pool_backward(s, in[0].data(), dx[0].mutable_data(), 0);
                     }})};
}

}  // namespace pare::bench
