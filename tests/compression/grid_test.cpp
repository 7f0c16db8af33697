#include "compression/quantize/grid.h"

#include <doctest/doctest.h>

#include <bit>
#include <limits>

#include "compression/lower/fixed_point.h"
#include "compression/quantize/observer.h"
#include "framework/base/error.h"
#include "framework/random.h"

namespace pare {
namespace {

Grid grid_of(GridFormat format, Range range) {
  Grid grid{.format = format, .scales = {}, .zero_points = {}};
  append_channel(grid, range, "t");
  return grid;
}

TEST_CASE(
    "a symmetric grid of b bits uses the codes -(2^(b-1)-1) .. 2^(b-1)-1 and the step max|x| / "
    "(2^(b-1)-1)") {
  const Grid grid = grid_of({.bits = 8, .scheme = Scheme::symmetric}, {-2.54f, 1.0f});
  CHECK(grid.format.qmin() == -127);
  CHECK(grid.format.qmax() == 127);
  CHECK(grid.scales[0] == 2.54f / 127);
  CHECK(grid.zero_points[0] == 0);
  CHECK(GridFormat{.bits = 2}.qmin() == -1);
  CHECK(GridFormat{.bits = 4}.qmax() == 7);
}

TEST_CASE("an affine grid of b bits uses the top of int8 and puts real zero on a code") {
  const Grid grid = grid_of({.bits = 8, .scheme = Scheme::affine}, {-1.0f, 3.0f});
  CHECK(grid.format.qmin() == -128);
  CHECK(grid.format.qmax() == 127);
  CHECK(grid.scales[0] == static_cast<float>(4.0 / 255));
  CHECK(grid.zero_points[0] == -64);  // floor(-128 + 63.75 + 0.5)
  const Grid relu4 = grid_of({.bits = 4, .scheme = Scheme::affine}, {0.0f, 3.0f});
  CHECK(relu4.format.qmin() == 112);
  CHECK(relu4.zero_points[0] == 112);
}

TEST_CASE("a power-of-two scale is the next one above") {
  const GridFormat format{.bits = 8, .scheme = Scheme::symmetric, .scale = ScaleKind::power_of_two};
  CHECK(grid_of(format, {-1.0f, 1.0f}).scales[0] == 0x1p-6f);  // 1/127 lies above 2^-7
  CHECK(grid_of(format, {0.0f, 127.0f}).scales[0] == 1.0f);    // exact ones stay
}

TEST_CASE("a constant zero tensor is legal, ranges that vanish or diverge are refused by name") {
  CHECK(grid_of({}, {0, 0}).scales[0] == 1.0f);
  CHECK_THROWS_WITH_AS(grid_of({}, {0, std::numeric_limits<float>::infinity()}),
                       doctest::Contains("t: values in"), GridError);
  CHECK_THROWS_AS(grid_of({}, {0, 1e-38f}), ConfigError);
  CHECK_THROWS_AS(grid_of({}, {std::numeric_limits<float>::quiet_NaN(), 0}), GridError);
}

TEST_CASE("real to code rounds halves up and clamps") {
  CHECK(to_code(0.5f, 1.0, 0, -127, 127) == 1);
  CHECK(to_code(-0.5f, 1.0, 0, -127, 127) == 0);
  CHECK(to_code(-1.5f, 1.0, 3, -127, 127) == 2);
  CHECK(to_code(1e30f, 1.0, 0, -127, 127) == 127);
  CHECK(to_code(-1e30f, 1.0, 0, -127, 127) == -127);
}

TEST_CASE("the pass range ends exactly where codes begin to clamp") {
  Random random(7, Stream::test);
  for (int i = 0; i < 300; ++i) {
    const auto scale = static_cast<float>(std::exp(random.normal() * 3));
    const auto z = static_cast<std::int32_t>(random.below(256)) - 128;
    const std::int32_t qmin = 128 - (2 << random.below(7)), qmax = 127;
    const PassRange pass = pass_range(scale, z, qmin, qmax);
    const double r = 1.0 / static_cast<double>(scale);
    const auto inside = [&](float x) {
      const double code = std::floor(static_cast<double>(x) * r + 0.5) + z;
      return code >= qmin && code <= qmax;
    };
    CAPTURE(scale);
    CAPTURE(z);
    CHECK(inside(pass.low));
    CHECK(inside(pass.high));
    CHECK_FALSE(inside(std::nextafter(pass.low, -1e38f)));
    CHECK_FALSE(inside(std::nextafter(pass.high, 1e38f)));
  }
}

TEST_CASE("observers: the tensor at hand, the moving average, the widest so far") {
  const float one[] = {-1, 2, 0.5f, 4}, two[] = {-3, 0, 0, 1};
  const Tensor a = Tensor::from({2, 2}, one), b = Tensor::from({2, 2}, two);
  const auto observe = [&](const char* kind, int axis, Pass::Mode mode = Pass::Mode::train) {
    auto observer = make_observer({.kind = kind, .decay = 0.75});
    observer->observe(a, axis, Pass::begin(mode, 1, 0));
    observer->observe(b, axis, Pass::begin(mode, 1, 1));
    return std::vector<Range>(observer->ranges().begin(), observer->ranges().end());
  };
  CHECK(observe("min_max", -1) == std::vector<Range>{{-3, 1}});
  CHECK(observe("min_max", 0) == std::vector<Range>{{-3, 0}, {0, 1}});
  CHECK(observe("min_max", 1) == std::vector<Range>{{-3, 0}, {0, 1}});
  CHECK(observe("ema_min_max", -1) == std::vector<Range>{{-1.5f, 3.25f}});
  CHECK(observe("max_abs", -1) == std::vector<Range>{{-3, 4}});
  // A calibration's batches weigh the same: no first one that sets the range.
  CHECK(observe("ema_min_max", -1, Pass::Mode::calibrate) == std::vector<Range>{{-3, 4}});
}

TEST_CASE("ranges of large tensors, per tensor and per channel of any axis, equal a plain loop") {
  Random random(3, Stream::test);
  for (const auto& [shape, axis] : {std::pair{Shape{7, 3, 5, 33}, 3},
                                    {Shape{19, 41}, 0},
                                    {Shape{100003}, -1},
                                    {Shape{4, 5}, 1}}) {
    Tensor x = Tensor::persistent(shape);
    for (std::int64_t i = 0; i < x.size(); ++i)
      x.mutable_data()[i] = static_cast<float>(random.normal());
    const ChannelView view = channel_view(shape, axis);
    StepVector<Range> expected(static_cast<std::size_t>(view.channels));
    for (std::int64_t i = 0; i < x.size(); ++i) {
      Range& range = expected[static_cast<std::size_t>(i / view.inner % view.channels)];
      range.low = std::min(range.low, x.data()[i]);
      range.high = std::max(range.high, x.data()[i]);
    }
    CHECK(channel_ranges(x, axis) == expected);
  }
}

TEST_CASE(
    "fixed point: the multiplier is within half a unit of its last place, out of range is zero or "
    "refused") {
  Random random(5, Stream::test);
  for (int i = 0; i < 2000; ++i) {
    const double m = std::exp(random.normal() * 8);
    const auto fixed = fixed_point(m);
    if (m >= 0x1p30) {
      if (m > 0x1.01p30) CHECK_FALSE(fixed.has_value());
      continue;
    }
    REQUIRE(fixed.has_value());
    if (fixed->value == 0) {
      CHECK(m < 0x1p-31);
      continue;
    }
    CHECK(fixed->value >= 1 << 30);
    CHECK(std::fabs(std::ldexp(fixed->value, fixed->shift - 31) - m) <=
          std::ldexp(0.5, fixed->shift - 31));
  }
  CHECK(fixed_point(0.75) == integer::Multiplier{3 << 29, 0});
  CHECK(fixed_point(1.0 - 0x1p-40) ==
        integer::Multiplier{1 << 30, 1});  // the mantissa rounds up to 1
}

TEST_CASE("a mean's multiplier holds 1 / count") {
  for (const std::int64_t count : {1, 2, 3, 9, 49, 64, 169, 1000}) {
    const integer::Multiplier m = divide_by_count(*fixed_point(0.8), count);
    CHECK(std::ldexp(m.value, m.shift - 31) * static_cast<double>(count) ==
          doctest::Approx(0.8).epsilon(1e-8));
  }
}

}  // namespace
}  // namespace pare
