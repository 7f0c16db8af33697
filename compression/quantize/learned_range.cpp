#include "compression/quantize/learned_range.h"

#include <algorithm>
#include <cmath>

#include "framework/base/error.h"
#include "framework/base/parallel.h"

namespace pare {
namespace {

constexpr std::int64_t kTile = 1 << 14;
constexpr double kSmallestSize = 1e-10;

// What one element adds to the gradient of its channel's size; without dy.
double size_gradient(float x, float y, PassRange inside, double size, SizeGradient rule) {
  const bool clipped = !(x > inside.low && x < inside.high);
  if (rule == SizeGradient::step) {
    return (static_cast<double>(y) - (clipped ? 0.0 : static_cast<double>(x))) / size;
  }
  if (!clipped) return 0;
  const float bound = x >= inside.high ? inside.high : inside.low;
  return bound > 0 ? 1 : bound < 0 ? -1 : 0;
}

// One run of one channel: dx, and the sum for its size.
struct Runs {
  const Tensor& x;
  const Tensor& y;
  const Tensor& dy;
  SizeGradient rule;

  double operator()(std::int64_t begin, std::int64_t end, PassRange inside, double size,
                    GradientSlot dx) const {
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const float v = x.data()[i], g = dy.data()[i];
      if (dx.data != nullptr) {
        const float passed = v > inside.low && v < inside.high ? g : 0.0f;
        dx.data[i] = dx.beta == 0 ? passed : dx.data[i] + passed;
      }
      sum += static_cast<double>(g) * size_gradient(v, y.data()[i], inside, size, rule);
    }
    return sum;
  }
};

}  // namespace

// Sums over parts whose borders depend on the shape alone, added in their order.
Variable with_learned_range(const Variable& x, Tensor y, const Variable& size,
                            std::vector<PassRange> inside, int axis, SizeGradient rule,
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
        std::vector<double> sums(static_cast<std::size_t>(parts));
        parallel_for(parts, [&](std::int64_t part) {
          const auto c = static_cast<std::size_t>(part % view.channels);
          sums[static_cast<std::size_t>(part)] =
              run(part * length, std::min(in.size(), (part + 1) * length), inside[c],
                  std::max(static_cast<double>(sizes.data()[c]), kSmallestSize), dx);
        });
        if (!gradients.wants(1)) return;
        const GradientSlot dsize = gradients.slot(1);
        for (std::int64_t c = 0; c < view.channels; ++c) {
          double sum = 0;
          for (std::int64_t part = c; part < parts; part += view.channels) {
            sum += sums[static_cast<std::size_t>(part)];
          }
          const auto value = static_cast<float>(sum * factor);
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
  const ChannelView view = channel_view(x.shape(), axis);
  std::vector<Magnitude> result(static_cast<std::size_t>(view.channels), {0, 0});
  parallel_for(view.channels, [&](std::int64_t c) {
    Magnitude& m = result[static_cast<std::size_t>(c)];
    for (std::int64_t o = 0; o < view.outer; ++o) {
      const float* run = x.data() + (o * view.channels + c) * view.inner;
      for (std::int64_t i = 0; i < view.inner; ++i) {
        const double a = std::fabs(static_cast<double>(run[i]));
        m.mean += a;
        m.largest = std::max(m.largest, a);
      }
    }
    m.mean /= static_cast<double>(view.outer * view.inner);
  });
  return result;
}

}  // namespace pare
