#include "compression/quantize/learned_range.h"

#include <algorithm>
#include <utility>

#include "compression/quantize/first_values.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/kernels/simd.h"

namespace pare {
namespace {

constexpr std::int64_t kTile = 1 << 14;
constexpr double kSmallestSize = 1e-10;

using simd::Floats;
using simd::Ints;

float sign(float x) { return x > 0 ? 1.0f : x < 0 ? -1.0f : 0.0f; }

// One run of one channel: dx, and the sum for its size, without what is common to all elements.
struct Runs {
  const Tensor& x;
  const Tensor& y;
  const Tensor& dy;
  SizeGradient rule;

  // What an element with value v and image q adds to the gradient of its size; without dy and, for
  // a step, without 1 / size.
  Floats change(Floats v, Floats q, Ints kept, PassRange inside) const {
    if (rule == SizeGradient::step) return q - (kept ? v : Floats{});
    const Floats clips =
        v >= inside.high ? sign(inside.high) - Floats{} : sign(inside.low) - Floats{};
    return kept ? Floats{} : clips;
  }

  double operator()(std::int64_t begin, std::int64_t end, PassRange inside, GradientSlot dx) const {
    Floats sum{}, other{};  // in turns
    for (std::int64_t i = begin; i < end; i += simd::kLanes) {
      const simd::Mask mask = simd::first_lanes(std::min<std::int64_t>(simd::kLanes, end - i));
      const Floats v = simd::load(x.data() + i, mask), g = simd::load(dy.data() + i, mask);
      const Ints kept = (v > inside.low) & (v < inside.high);
      if (dx.data != nullptr) {
        const Floats passed = kept ? g : Floats{};
        simd::store(dx.data + i, dx.beta == 0 ? passed : simd::load(dx.data + i, mask) + passed,
                    mask);
      }
      sum += g * change(v, simd::load(y.data() + i, mask), kept, inside);
      std::swap(sum, other);
    }
    double all = 0;
    for (int lane = 0; lane < simd::kLanes; ++lane) all += sum[lane] + other[lane];
    return all;
  }
};

}  // namespace

// Sums over parts whose borders depend on the shape alone, added in their order.
Variable with_learned_range(const Variable& x, Tensor y, const Variable& size,
                            StepVector<PassRange> inside, int axis, SizeGradient rule,
                            double factor) {
  const Tensor values = y;
  return record(
      "learned_range", std::move(y), {x, size},
      [in = x.value(), out = values, sizes = size.value(), inside = std::move(inside), axis, rule,
       factor](const Tensor& dy, Gradients& gradients) {
        const ChannelView view = channel_view(in.shape(), axis);
        const GradientSlot dx = gradients.wants(0) ? gradients.slot(0) : GradientSlot{nullptr, 0};
        const Runs run{in, out, dy, rule};
        const std::int64_t length = view.channels == 1 ? kTile : view.inner;
        const std::int64_t parts = (in.size() + length - 1) / length;
        StepVector<double> sums(static_cast<std::size_t>(parts));
        parallel_for(parts, [&](std::int64_t part) {
          const auto c = static_cast<std::size_t>(part % view.channels);
          sums[static_cast<std::size_t>(part)] =
              run(part * length, std::min(in.size(), (part + 1) * length), inside[c], dx);
        });
        if (!gradients.wants(1)) return;
        const GradientSlot dsize = gradients.slot(1);
        for (std::int64_t c = 0; c < view.channels; ++c) {
          double sum = 0;
          for (std::int64_t part = c; part < parts; part += view.channels) {
            sum += sums[static_cast<std::size_t>(part)];
          }
          const double step = std::max(static_cast<double>(sizes.data()[c]), kSmallestSize);
          const double common = rule == SizeGradient::step ? factor / step : factor;
          const auto value = static_cast<float>(sum * common);
          dsize.data[c] = dsize.beta == 0 ? value : dsize.data[c] + value;
        }
      });
}

LearnedSize::LearnedSize(const char* role, const QuantizerConfig& config,
                         const QuantizerPlace& place)
    : parameter_(std::make_unique<Parameter>(role, Shape{place.channels}, 0, false)) {
  parameter_->learning_rate_factor = config.learning_rate;
  parameter_->own_weight_decay = config.weight_decay;
}

void LearnedSize::set(const std::vector<double>& values) {
  parameter_->release();  // writing needs sole ownership
  float* to = parameter_->latent().mutable_data();
  for (std::size_t c = 0; c < values.size(); ++c) to[c] = static_cast<float>(values[c]);
  set_ = 1;
}

void LearnedSize::set_sizes(std::vector<double> sizes) {
  for (double& size : sizes) size = size > 0 ? std::max(size, kSmallestSize) : 1;
  set(sizes);
}

double LearnedSize::operator[](std::size_t c) const {
  const double value = parameter_->latent().data()[c];
  return value < kSmallestSize ? kSmallestSize : value;
}

std::vector<Magnitude> channel_magnitudes(const Tensor& x, int axis) {
  std::vector<Magnitude> result;
  for (const ChannelSums& sums : channel_sums(x, axis))
    result.push_back({sums.mean(), sums.largest});
  return result;
}

}  // namespace pare
