#include "apps/lib/evaluation.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "datasets/batches.h"
#include "framework/base/error.h"

namespace pare {
namespace {

constexpr std::int64_t kBatch = 256;
constexpr int kLatencyRuns = 1000;
constexpr double kNormal95 = 1.959963984540054;  // the 97.5 % point of the normal distribution

}  // namespace

Interval wilson(std::int64_t hits, std::int64_t n) {
  if (n == 0) return {0, 1};
  const auto count = static_cast<double>(n);
  const double p = static_cast<double>(hits) / count, z2 = kNormal95 * kNormal95;
  const double middle = p + z2 / (2 * count);
  const double half = kNormal95 * std::sqrt(p * (1 - p) / count + z2 / (4 * count * count));
  const double scale = 1 + z2 / count;
  return {std::max(0.0, (middle - half) / scale), std::min(1.0, (middle + half) / scale)};
}

Confusion confusion(std::span<const std::int32_t> expected, std::span<const std::int32_t> found,
                    int classes) {
  PARE_ENSURE(expected.size() == found.size());
  const auto n = static_cast<std::size_t>(classes);
  Confusion counts(n, std::vector<std::int64_t>(n, 0));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ++counts.at(static_cast<std::size_t>(expected[i])).at(static_cast<std::size_t>(found[i]));
  }
  return counts;
}

Labels predict(Network& network, const Images& images, const std::vector<PixelValues>& values) {
  const NoGradient no_gradient;
  const Pass pass = Pass::begin(Pass::Mode::evaluate, 0, 0);
  Labels labels;
  for (std::int64_t first = 0; first < images.count(); first += kBatch) {
    const Batch batch = batch_in_order(images, values, first, kBatch);
    const Variable logits = network.forward(Variable(batch.images), pass);
    const std::int64_t classes = logits.shape()[-1];
    for (std::int64_t row = 0; row < batch.count(); ++row) {
      const float* scores = logits.value().data() + row * classes;
      labels.push_back(
          static_cast<std::int32_t>(std::max_element(scores, scores + classes) - scores));
    }
  }
  network.release();
  return labels;
}

Labels predict(const integer::Engine& engine, std::span<const std::int8_t> codes) {
  const auto images = static_cast<std::int64_t>(codes.size()) / engine.input_size();
  const auto classes = static_cast<std::size_t>(engine.output_size());
  std::vector<std::int8_t> scores(static_cast<std::size_t>(images) * classes);
  engine.run(codes, scores);
  Labels labels;
  for (std::size_t first = 0; first < scores.size(); first += classes) {
    labels.push_back(integer::Engine::label(std::span(scores).subspan(first, classes)));
  }
  return labels;
}

Latency latency_of(const integer::Engine& engine, std::span<const std::int8_t> image) {
  using Clock = std::chrono::steady_clock;
  std::vector<std::int8_t> output(static_cast<std::size_t>(engine.output_size()));
  std::vector<double> times;
  for (int i = 0; i < kLatencyRuns; ++i) {
    const auto start = Clock::now();
    engine.run(image, output);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return {times[kLatencyRuns / 2], times[kLatencyRuns * 99 / 100]};
}

}  // namespace pare
