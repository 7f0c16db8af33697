// The search for the range of weights: fast errors against the definition, percentiles against
// sorting.
#include "compression/quantize/clip_search.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "compression/attach.h"
#include "compression/prune/mask.h"
#include "compression/quantize/grid_errors.h"
#include "compression/quantize/weight_quantizer.h"
#include "framework/base/parallel.h"
#include "tests/compression/draws.h"
#include "tests/threads.h"

namespace pare {
namespace {

// By the definition, in double.
double error_of(std::span<const float> values, Range range, const GridFormat& format) {
  Grid grid{.format = format, .scales = {}, .zero_points = {}};
  append_channel(grid, range, "");
  const double scale = grid.scales[0];
  double sum = 0;
  for (const float v : values) {
    const std::int32_t code =
        to_code(v, 1.0 / scale, grid.zero_points[0], format.qmin(), format.qmax());
    const double error = static_cast<double>(v) - (code - grid.zero_points[0]) * scale;
    sum += error * error;
  }
  return sum;
}

double least_error(std::span<const float> values, const GridFormat& format) {
  const Range full{std::min(0.0f, *std::min_element(values.begin(), values.end())),
                   std::max(0.0f, *std::max_element(values.begin(), values.end()))};
  double least = std::numeric_limits<double>::infinity();
  for (int k = 1; k <= 64; ++k) {
    const float factor = static_cast<float>(k) / 64;
    least = std::min(least, error_of(values, {full.low * factor, full.high * factor}, format));
  }
  return least;
}

std::vector<GridFormat> formats() {
  std::vector<GridFormat> all;
  for (const int bits : {2, 4, 8}) {
    for (const Scheme scheme : {Scheme::symmetric, Scheme::affine}) {
      for (const ScaleKind scale : {ScaleKind::real, ScaleKind::power_of_two})
        all.push_back({.bits = bits, .scheme = scheme, .scale = scale});
    }
  }
  return all;
}

std::vector<Range> mse_ranges(const Tensor& x, int axis, const GridFormat& format) {
  const auto observer = make_mse({.kind = "mse", .format = format, .of_weights = true});
  observer->observe(x, axis, Pass::begin(Pass::Mode::train, 1, 0));
  return {observer->ranges().begin(), observer->ranges().end()};
}

TEST_CASE("mse of weights: of the ranges that it may choose none has a smaller error") {
  Tensor x = random_tensor({3, 6000}, 3);
  x.mutable_data()[10] = 40;  // an outlier
  for (const GridFormat& format : formats()) {
    CAPTURE(format.bits);
    // Errors in float32 are off by some 1e-7 of their sum.
    const Range whole = mse_ranges(x, -1, format)[0];
    CHECK(error_of(x.values(), whole, format) <= least_error(x.values(), format) * (1 + 1e-5));
    const std::vector<Range> rows = mse_ranges(x, 0, format);
    for (std::size_t c = 0; c < 3; ++c) {
      const std::span<const float> row = x.values().subspan(c * 6000, 6000);
      CHECK(error_of(row, rows[c], format) <= least_error(row, format) * (1 + 1e-5));
    }
  }
  CHECK(mse_ranges(x, 0, {.bits = 4})[0].high < 20);
}

TEST_CASE("the errors of grids are those of the definition, for any number of values") {
  for (const std::int64_t size : {1, 3, 15, 16, 17, 100, 4095, 4097, 9001}) {
    const Tensor x = random_tensor({size}, 4);
    for (const GridFormat& format : formats()) {
      Grid grids{.format = format, .scales = {}, .zero_points = {}};
      const std::vector<Range> ranges = {{-4, 4}, {-1, 2}, {0, 1}, {-0.1f, 0.1f}, {-3, 0}};
      for (const Range& range : ranges) append_channel(grids, range, "");
      const std::vector<double> errors = squared_errors(x.values(), grids);
      REQUIRE(errors.size() == ranges.size());
      for (std::size_t k = 0; k < errors.size(); ++k) {
        CAPTURE(size);
        CAPTURE(k);
        // A single value may lie on a code but for what float32 rounds off.
        CHECK(std::fabs(errors[k] - error_of(x.values(), ranges[k], format)) <=
              1e-5 * errors[k] + 1e-9);
      }
    }
  }
  CHECK(squared_errors({}, Grid{.format = {}, .scales = {1}, .zero_points = {0}}) ==
        std::vector<double>{0});
}

TEST_CASE("zeros change no bit of the errors of grids") {
  const Tensor x = random_tensor({500}, 7);
  Grid grids{.format = {.bits = 3}, .scales = {}, .zero_points = {}};
  for (const Range& range : {Range{-2, 2}, Range{-0.5f, 1}, Range{0, 3}})
    append_channel(grids, range, "");
  const std::vector<double> errors = squared_errors(x.values(), grids);
  // 64: whole vectors on any processor, and all of it within one tile.
  for (const auto& [before, after] : {std::pair{64, 0}, {0, 64}, {320, 17}, {128, 3000}}) {
    std::vector<float> values(static_cast<std::size_t>(before), 0.0f);
    values.insert(values.end(), x.values().begin(), x.values().end());
    values.resize(values.size() + static_cast<std::size_t>(after), -0.0f);
    CHECK(squared_errors(values, grids) == errors);
  }
}

TEST_CASE("the errors of grids have the same bits for any number of threads") {
  const Tensor x = random_tensor({100003}, 5);
  Grid grids{.format = {.bits = 4}, .scales = {}, .zero_points = {}};
  for (int k = 1; k <= 7; ++k) append_channel(grids, {-0.5f * static_cast<float>(k), 0}, "");
  const auto errors = [&](int count) {
    const test::Threads threads(count);
    return squared_errors(x.values(), grids);
  };
  CHECK(errors(1) == errors(3));
}

TEST_CASE("mse chooses the same range of weights whatever their unit, and the full one of zeros") {
  const Tensor x = random_tensor({2000}, 6);
  for (const GridFormat& format : formats()) {
    const Range range = mse_ranges(x, -1, format)[0];
    for (const float unit : {0x1p-80f, 0x1p80f}) {
      Tensor other = x.clone();
      for (std::int64_t i = 0; i < x.size(); ++i) other.mutable_data()[i] *= unit;
      CHECK(mse_ranges(other, -1, format)[0] == Range{range.low * unit, range.high * unit});
    }
  }
  CHECK(mse_ranges(Tensor::zeros({20}), -1, {.bits = 4})[0] == Range{});
}

TEST_CASE("percentiles of plain values are those of samples that occur once each") {
  for (const std::int64_t size : {1, 2, 7, 1000, 1001}) {
    Tensor x = random_tensor({size}, 7);
    for (std::int64_t i = 0; i < size; i += 3) x.mutable_data()[i] = 0.25f;  // ties
    for (const double p : {50.1, 75.0, 99.0, 99.9, 100.0}) {
      std::vector<float> values(x.values().begin(), x.values().end());
      std::vector<Sample> samples;
      for (const float v : values) samples.push_back({v, 1});
      CAPTURE(size);
      CAPTURE(p);
      CHECK(percentile_range(values, p) == percentile_range(samples, p));
    }
  }
  CHECK(percentile_range(std::span<float>(), 99) == Range{});
}

TEST_CASE("percentile: zeros of a mask count in masked, and do not in survivors") {
  // Survivors 20, 40, .. 1000 of a thousand weights; the pruned ones are 5000. p leaves out a
  // tenth.
  const auto highest = [](Observed observed) {
    Parameter w("weight", Shape{1, 1000}, 0, true);
    std::vector<std::uint8_t> keep;
    for (std::int64_t i = 1; i <= 1000; ++i) {
      keep.push_back(i % 20 == 0 ? 1 : 0);
      w.latent().mutable_data()[i - 1] = i % 20 == 0 ? static_cast<float>(i) : 5000.0f;
    }
    WeightQuantizerConfig config;
    config.observer = "percentile";
    config.p = 90;
    config.observe = observed;
    attach_mask(w, Composition::mask_then_quantize, true)->keep() = keep;
    attach_weight_quantizers({&w}, Composition::mask_then_quantize, config);
    const NoGradient no_gradient;
    w.value(Pass::begin(Pass::Mode::train, 1, 0));
    const auto* transform = dynamic_cast<WeightQuantizer*>(w.find(kWeightQuantizer));
    return static_cast<double>(transform->quantizer().grid().scales[0]) * 127;
  };
  CHECK(highest(Observed::survivors) == doctest::Approx(900));  // 5 of 50 lie above
  CHECK(highest(Observed::dense) == doctest::Approx(5000));
  CHECK(highest(Observed::masked) == doctest::Approx(127));  // nothing is left: scale 1
}

}  // namespace
}  // namespace pare
