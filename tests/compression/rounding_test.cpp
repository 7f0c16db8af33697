// Roundings other than nearest, and observers that leave outliers out.
#include "compression/quantize/rounding.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "compression/quantize/clip_search.h"
#include "compression/quantize/fake_quantize.h"
#include "framework/base/parallel.h"
#include "tests/compression/draws.h"

namespace pare {
namespace {

const Grid kTenths{.format = {.bits = 4}, .scales = {0.1f}, .zero_points = {0}};

std::vector<float> rounded(const std::vector<float>& values, RoundingMode mode) {
  const Tensor x = Tensor::from({std::ssize(values)}, values);
  const Tensor y = fake_quantize_rounded(Variable(x), kTenths, -1, mode, "x",
                                         Pass::begin(Pass::Mode::train, 1, 0))
                       .value();
  std::vector<float> tenths;
  for (const float v : y.values()) tenths.push_back(std::round(v * 10));
  return tenths;
}

TEST_CASE("floor goes down, truncate towards zero, both clamp and keep what lies on the grid") {
  const std::vector<float> x = {-0.29f, -0.3f, -0.01f, 0, 0.01f, 0.19f, 0.2f, 0.29f, 9, -9};
  CHECK(rounded(x, RoundingMode::nearest) == std::vector<float>{-3, -3, 0, 0, 0, 2, 2, 3, 7, -7});
  CHECK(rounded(x, RoundingMode::floor) == std::vector<float>{-3, -3, -1, 0, 0, 1, 2, 2, 7, -7});
  CHECK(rounded(x, RoundingMode::truncate) == std::vector<float>{-2, -3, 0, 0, 0, 1, 2, 2, 7, -7});
}

TEST_CASE("stochastic rounding is unbiased, draws anew each step and not in evaluation") {
  constexpr int kSteps = 20000;
  const std::vector<float> values = {0.0f, 0.13f, 0.25f, -0.38f, 0.3f};
  const Tensor x = Tensor::from({5}, values);
  std::vector<double> sums(5, 0);
  for (int step = 0; step < kSteps; ++step) {
    const Tensor y =
        fake_quantize_rounded(Variable(x), kTenths, -1, RoundingMode::stochastic, "x",
                              Pass::begin(Pass::Mode::train, 1, static_cast<std::uint64_t>(step)))
            .value();
    for (std::size_t i = 0; i < 5; ++i) sums[i] += static_cast<double>(y.data()[i]);
  }
  for (std::size_t i = 0; i < 5; ++i) {
    // Standard deviation of the mean: at most 0.05 / sqrt(20000) = 0.00035.
    CHECK(std::abs(sums[i] / kSteps - static_cast<double>(values[i])) < 0.0015);
  }
  const Tensor y = fake_quantize_rounded(Variable(x), kTenths, -1, RoundingMode::stochastic, "x",
                                         Pass::begin(Pass::Mode::evaluate, 1, 0))
                       .value();
  const Tensor nearest = fake_quantize(Variable(x), kTenths, -1).value();
  CHECK(std::equal(y.values().begin(), y.values().end(), nearest.values().begin()));
}

TEST_CASE("percentile leaves out as many values as it says on each side") {
  std::vector<Sample> samples;
  for (int i = -1000; i < 1000; ++i) samples.push_back({static_cast<double>(i), 1});
  const Range range = percentile_range(samples, 99);  // 20 of 2000 on each side
  CHECK(range == Range{-980, 979});
  CHECK(percentile_range(samples, 100) == Range{-1000, 999});
}

TEST_CASE("mse finds the range with the smallest error of all that it may choose") {
  std::vector<Sample> samples;
  const Tensor x = random_tensor({4000}, 3);
  for (const float v : x.values()) samples.push_back({v, 1});
  samples.push_back({40, 1});  // an outlier
  const GridFormat format{.bits = 4};
  const Range full{-4, 40}, best = mse_range(samples, full, format);
  const auto error = [&](float factor) {
    Grid grid{.format = format, .scales = {}, .zero_points = {}};
    append_channel(grid, {full.low * factor, full.high * factor}, "");
    double sum = 0;
    for (const Sample& s : samples) {
      const double code =
          std::clamp(std::floor(s.value / static_cast<double>(grid.scales[0]) + 0.5), -7.0, 7.0);
      const double e = s.value - code * static_cast<double>(grid.scales[0]);
      sum += e * e;
    }
    return sum;
  };
  const float factor = best.high / full.high;
  CHECK(factor < 0.5f);
  for (int k = 1; k <= 64; ++k) CHECK(error(factor) <= error(static_cast<float>(k) / 64) * 1.0001);
}

TEST_CASE("kl clips a long tail and keeps a flat distribution whole") {
  Tensor flat = Tensor::persistent({200000}), tail = random_tensor({200000}, 8);
  for (std::int64_t i = 0; i < flat.size(); ++i)
    flat.mutable_data()[i] = static_cast<float>(i) / 200000;
  tail.mutable_data()[7] = 60;
  for (std::int64_t i = 0; i < tail.size(); ++i) tail.mutable_data()[i] = std::fabs(tail.data()[i]);
  const GridFormat format{.bits = 6, .scheme = Scheme::affine};
  Histogram whole, long_tail;
  whole.add(flat, 1);
  long_tail.add(tail, 1);
  CHECK(kl_range(whole, format).high > 0.9f);
  CHECK(kl_range(long_tail, format).high < 20);
  CHECK(kl_range(long_tail, format).high > 1);
}

TEST_CASE("kl does not clip for the sake of zeros") {
  Tensor values = random_tensor({100000}, 9), with_zeros = Tensor::persistent({400000});
  for (std::int64_t i = 0; i < values.size(); ++i) {
    values.mutable_data()[i] = std::fabs(values.data()[i]);
    with_zeros.mutable_data()[i] = values.data()[i];
  }
  std::fill_n(with_zeros.mutable_data() + values.size(), 300000, 0.0f);
  const GridFormat format{.bits = 6, .scheme = Scheme::affine};
  Histogram without, with;
  without.add(values, 1);
  with.add(with_zeros, 1);
  CHECK(kl_range(with, format).high == kl_range(without, format).high);
}

TEST_CASE("a histogram does not depend on the order of its batches, nor on threads") {
  const Tensor small = random_tensor({3000}, 1);
  Tensor large = random_tensor({200000}, 2);
  for (std::int64_t i = 0; i < large.size(); ++i) large.mutable_data()[i] *= 100;
  const auto total = [&](const Tensor& first, const Tensor& second, int threads) {
    set_thread_count(threads);
    Histogram histogram;
    histogram.add(first, 1);
    histogram.add(second, 1);
    double sum = 0;
    for (int bin = 0; bin < Histogram::kBins; ++bin)
      sum += histogram.count(true, bin) + histogram.count(false, bin);
    CHECK(histogram.range().high == channel_ranges(large, -1)[0].high);
    return sum;
  };
  CHECK(total(small, large, 1) == 203000);
  CHECK(total(large, small, 3) == 203000);
  set_thread_count(2);
}

}  // namespace
}  // namespace pare
