// The table of ops that the tests of this folder run over: one row per name passed to record(). A
// row makes cases: inputs, the public op on Variables, and the reference kernels in double.
// gradient_test.cpp checks the reference kernels against finite differences on the hand-picked
// small shapes; kernels_test.cpp checks the op against the reference kernels on those and on random
// larger ones. A new op is tested by adding a row to op_table().
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "framework/ops/fused.h"
#include "framework/reference/batch_norm.h"
#include "framework/reference/conv.h"
#include "framework/reference/dense.h"
#include "framework/reference/elementwise.h"
#include "framework/reference/loss.h"
#include "framework/reference/pool.h"

namespace pare::testing {

using Values = std::vector<double>;
using Inputs = std::vector<Values>;

// One op on inputs of given shapes. Values are exactly representable in float.
struct OpCase {
  std::string what;
  std::vector<Shape> shapes;
  Inputs inputs;
  std::function<Variable(const std::vector<Variable>&)> op;
  std::function<Values(const Inputs&)> forward;
  std::function<Inputs(const Inputs&, const Values& dy)> backward;
};

struct OpRow {
  std::string op;
  std::vector<std::function<OpCase(Random&)>> small;  // at least 12
  std::function<OpCase(Random&)> random;
  // For kernels_test.cpp alone: extents that random cases do not reach.
  std::vector<std::function<OpCase(Random&)>> large = {};
};

const std::vector<OpRow>& op_table();

// Uniform in [-1, 1).
inline Values random_values(std::int64_t count, Random& random) {
  Values values(static_cast<std::size_t>(count));
  for (double& v : values) v = static_cast<double>(random.uniform(-1, 1));
  return values;
}

inline std::int64_t between(std::int64_t low, std::int64_t high, Random& random) {
  return low + random.below(static_cast<std::uint32_t>(high - low + 1));
}

inline std::string text(const ImageShape& s) {
  const Window& w = s.window;
  std::string t = "x " + Shape{s.batch, s.height, s.width, s.channels}.to_string() + ", kernel " +
                  Shape{w.kernel_h, w.kernel_w}.to_string() + ", stride " +
                  Shape{w.stride_h, w.stride_w}.to_string() + ", pads ";
  return t + Shape{w.pad_top, w.pad_left, w.pad_bottom, w.pad_right}.to_string();
}

inline Shape x_shape(const ImageShape& s) { return Shape{s.batch, s.height, s.width, s.channels}; }

// A window that fits the image; `pads_below_kernel` as pools require.
inline ImageShape random_image(Random& random, std::int64_t most_channels, bool pads_below_kernel) {
  ImageShape s;
  s.batch = between(1, 9, random);
  s.height = between(1, 17, random);
  s.width = between(1, 17, random);
  s.channels = between(1, most_channels, random);
  Window& w = s.window;
  w.kernel_h = between(1, std::min<std::int64_t>(s.height, 5), random);
  w.kernel_w = between(1, std::min<std::int64_t>(s.width, 5), random);
  w.stride_h = between(1, 4, random);
  w.stride_w = between(1, 4, random);
  const auto pad = [&](std::int64_t kernel) {
    return random.below(2) ? 0 : between(0, pads_below_kernel ? kernel - 1 : kernel + 1, random);
  };
  w.pad_top = pad(w.kernel_h);
  w.pad_bottom = pad(w.kernel_h);
  w.pad_left = pad(w.kernel_w);
  w.pad_right = pad(w.kernel_w);
  return s;
}

}  // namespace pare::testing
