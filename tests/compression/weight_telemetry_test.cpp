// Telemetry of one weight against the formulas of its header, as slow loops.
#include "compression/weight_telemetry.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "compression/attach.h"
#include "compression/prune/mask.h"
#include "compression/quantize/weight_quantizer.h"
#include "framework/random.h"

using namespace pare;

namespace {

constexpr std::int64_t kRows = 6, kColumns = 40, kSize = kRows * kColumns;

Tensor draw(std::uint64_t seed) {
  Tensor values = Tensor::persistent({kRows, kColumns});
  Random random(seed, Stream::test);
  for (std::int64_t i = 0; i < kSize; ++i)
    values.mutable_data()[i] = static_cast<float>(random.normal());
  return values;
}

// A weight with a mask, a quantizer, or both; per channel scales differ from row to row.
struct Compressed {
  explicit Compressed(bool masked, bool quantized, const WeightQuantizerConfig& config = {})
      : weight("weight", {kRows, kColumns}, 0, true) {
    weight.set_path("fc.weight");
    weight.latent() = draw(1);
    if (masked) mask = attach_mask(weight, Composition::mask_then_quantize, true);
    if (quantized) attach_weight_quantizers({&weight}, Composition::mask_then_quantize, config);
    prune(1);
  }

  // Another third of the weights, not the smallest ones.
  void prune(std::size_t first) {
    for (std::size_t i = first; mask && i < static_cast<std::size_t>(kSize); i += 3)
      mask->keep()[i] = 0;
  }
  WeightTelemetry measure() {
    weight.value(Pass::begin(Pass::Mode::train, 1, 0));  // a step has been: there is a grid
    weight.release();
    return weight_telemetry(weight, moment);
  }

  Parameter weight;
  Mask* mask = nullptr;
  WeightMoment moment;
};

// Row by row the symmetric grid of the largest magnitude that is left: code and value of every
// latent weight, masked ones too.
struct Grids {
  std::vector<int> codes;
  std::vector<double> values, scales;
};

Grids by_hand(const Compressed& c, int bits) {
  const auto w = c.weight.latent().values();
  Grids grids;
  const int most = (1 << (bits - 1)) - 1;
  for (std::int64_t row = 0; row < kRows; ++row) {
    double largest = 0;
    for (std::int64_t i = row * kColumns; i < (row + 1) * kColumns; ++i) {
      const auto at = static_cast<std::size_t>(i);
      if (!c.mask || c.mask->keep()[at]) largest = std::max<double>(largest, std::abs(w[at]));
    }
    const auto scale = static_cast<double>(static_cast<float>(largest / most));
    grids.scales.push_back(scale);
    for (std::int64_t i = row * kColumns; i < (row + 1) * kColumns; ++i) {
      const double code = std::floor(w[static_cast<std::size_t>(i)] / scale + 0.5);
      grids.codes.push_back(static_cast<int>(std::clamp<double>(code, -most, most)));
      grids.values.push_back(grids.codes.back() * scale);
    }
  }
  return grids;
}

// The mean over many random orders of tied codes, of what a ranking by weight would prune and one
// by code would not.
double disagreement_by_trial(const Compressed& c, const Grids& grids, int trials) {
  const auto w = c.weight.latent().values();
  const auto k = static_cast<std::size_t>(c.mask->pruned());
  std::vector<std::size_t> order(static_cast<std::size_t>(kSize));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return std::abs(w[a]) < std::abs(w[b]); });
  const std::vector<std::size_t> by_weight(order.begin(),
                                           order.begin() + static_cast<std::ptrdiff_t>(k));
  double sum = 0;
  Random random(5, Stream::test);
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<std::pair<int, double>> keys;
    for (const int code : grids.codes) keys.emplace_back(std::abs(code), random.uniform());
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
    std::vector<bool> by_code(order.size());
    for (std::size_t i = 0; i < k; ++i) by_code[order[i]] = true;
    const auto left = std::count_if(by_weight.begin(), by_weight.end(),
                                    [&](std::size_t i) { return !by_code[i]; });
    sum += static_cast<double>(left) / static_cast<double>(k);
  }
  return sum / trials;
}

WeightQuantizerConfig bits(int number) {
  WeightQuantizerConfig config;
  config.bits = number;
  return config;
}

}  // namespace

TEST_CASE("zeros, errors and disagreement are what slow loops say") {
  for (const int width : {2, 3, 4, 8}) {
    CAPTURE(width);
    Compressed c(true, true, bits(width));
    const WeightTelemetry t = c.measure();
    const Grids grids = by_hand(c, width);
    const auto w = c.weight.latent().values();
    double power = 0, prune = 0, quantize = 0, both = 0, masked = 0, rounded = 0, overlap = 0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      const double x = w[i], q = grids.values[i];
      const bool kept = c.mask->keep()[i];
      power += x * x;
      prune += kept ? 0 : x * x;
      quantize += (x - q) * (x - q);
      both += kept ? (x - q) * (x - q) : x * x;
      masked += kept ? 0 : 1;
      rounded += kept && q == 0 ? 1 : 0;
      overlap += !kept && q == 0 ? 1 : 0;
    }
    CHECK(*t.masked == masked / kSize);
    CHECK(*t.rounded_to_zero == rounded / kSize);
    CHECK(*t.masked_zero_codes == overlap / masked);
    CHECK(*t.error_prune == doctest::Approx(prune / power));
    CHECK(*t.error_quantize == doctest::Approx(quantize / power).epsilon(1e-5));
    CHECK(*t.error_both == doctest::Approx(both / power).epsilon(1e-5));
    double scale = 0;
    for (const double s : grids.scales) scale += s / kRows;
    CHECK(*t.scale == doctest::Approx(scale));
    constexpr int kTrials = 400;
    CHECK(std::abs(*t.score_disagreement - disagreement_by_trial(c, grids, kTrials)) < 0.01);
  }
}

TEST_CASE("mask churn, code flips and scale drift compare with the call before") {
  Compressed c(true, true, bits(4));
  const WeightTelemetry first = c.measure();
  CHECK_FALSE(first.mask_churn);
  CHECK_FALSE(first.code_flips);
  CHECK_FALSE(first.scale_drift);
  const Grids before = by_hand(c, 4);
  const std::vector<std::uint8_t> keep = c.mask->keep();

  const WeightTelemetry same = c.measure();
  CHECK(*same.mask_churn == 0);
  CHECK(*same.code_flips == 0);
  CHECK(*same.scale_drift == 0);

  c.weight.latent() = draw(2);
  c.prune(2);
  const WeightTelemetry t = c.measure();
  const Grids now = by_hand(c, 4);
  double churn = 0, both = 0, flips = 0, octaves = 0;
  for (std::size_t i = 0; i < keep.size(); ++i) {
    churn += keep[i] != c.mask->keep()[i] ? 1 : 0;
    if (!keep[i] || !c.mask->keep()[i]) continue;
    both += 1;
    flips += now.codes[i] != before.codes[i] ? 1 : 0;
  }
  for (std::size_t row = 0; row < now.scales.size(); ++row)
    octaves += std::abs(std::log2(now.scales[row] / before.scales[row])) / kRows;
  CHECK(*t.mask_churn == churn / kSize);
  CHECK(churn > 0);
  CHECK(*t.code_flips == flips / both);
  CHECK(flips > 0);
  CHECK(*t.scale_drift == doctest::Approx(octaves).epsilon(1e-5));
}

TEST_CASE("what is not there is missing") {
  Compressed dense(false, false);
  CHECK_FALSE(has_telemetry(dense.weight));
  Compressed masked(true, false);
  CHECK(has_telemetry(masked.weight));
  const WeightTelemetry mask_only = masked.measure();
  CHECK(mask_only.masked);
  CHECK_FALSE(mask_only.error_quantize);
  CHECK_FALSE(mask_only.error_both);
  CHECK_FALSE(mask_only.score_disagreement);
  Compressed quantized(false, true);
  CHECK_FALSE(has_telemetry(quantized.weight));  // no grid yet
  const WeightTelemetry grid_only = quantized.measure();
  CHECK(grid_only.error_quantize);
  CHECK(grid_only.rounded_to_zero);
  CHECK_FALSE(grid_only.masked);
  CHECK_FALSE(grid_only.error_both);
}

TEST_CASE("with one scale and ties by weight the two rankings are one: only ties disagree") {
  WeightQuantizerConfig config = bits(8);
  config.granularity = Granularity::per_tensor;
  Compressed c(true, true, config);
  // Codes of 8 bits have few ties among 240 weights.
  CHECK(*c.measure().score_disagreement < 0.02);
  config.bits = 2;
  Compressed coarse(true, true, config);
  CHECK(*coarse.measure().score_disagreement > 0.3);
}
