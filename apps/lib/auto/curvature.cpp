#include "apps/lib/auto/curvature.h"

#include <algorithm>
#include <cmath>

#include "framework/ops/ops.h"
#include "framework/random.h"

namespace pare {
namespace {

constexpr std::int64_t kMostImages = 1000;
constexpr std::int64_t kBatch = 250;
constexpr int kDraws = 8;
constexpr double kStep = 0.01;  // of the weights' root mean square

// z' times the gradient of the mean loss.
double slope_along(const std::vector<float>& z, Network& network, Parameter& weight,
                   const Images& images, const std::vector<PixelValues>& values) {
  const std::int64_t count = std::min(images.count(), kMostImages);
  double sum = 0;
  for (std::int64_t first = 0; first < count; first += kBatch) {
    const Batch batch = batch_in_order(images, values, first, std::min(kBatch, count - first));
    const Variable logits =
        network.forward(Variable(batch.images), Pass::begin(Pass::Mode::evaluate, 0, 0));
    backward(softmax_cross_entropy(logits, batch.labels));
    double part = 0;
    const Tensor& gradient = weight.grad();
    for (std::size_t i = 0; gradient.defined() && i < z.size(); ++i)
      part += static_cast<double>(z[i]) * static_cast<double>(gradient.data()[i]);
    sum += part * static_cast<double>(batch.count());
    network.release();
  }
  return sum / static_cast<double>(count);
}

void set_moved(Parameter& weight, const std::vector<float>& from, const std::vector<float>& z,
               double step) {
  float* w = weight.latent().mutable_data();
  for (std::size_t i = 0; i < z.size(); ++i) w[i] = from[i] + static_cast<float>(step) * z[i];
}

}  // namespace

double mean_curvature(Network& network, Parameter& weight, const Images& images,
                      const std::vector<PixelValues>& values, std::uint64_t seed) {
  network.release();
  const std::span<const float> now = weight.latent().values();
  const std::vector<float> before(now.begin(), now.end());
  double square = 0;
  for (const float w : before) square += static_cast<double>(w) * static_cast<double>(w);
  const auto size = static_cast<double>(before.size());
  const double step = square > 0 ? kStep * std::sqrt(square / size) : kStep;
  const bool frozen = weight.frozen();
  weight.set_frozen(false);
  Random random(seed, Stream::calibrate, name_hash(weight.path()));
  double sum = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    std::vector<float> z(before.size());
    for (float& sign : z) sign = random.below(2) == 0 ? -1.0f : 1.0f;
    set_moved(weight, before, z, step);
    const double ahead = slope_along(z, network, weight, images, values);
    set_moved(weight, before, z, -step);
    sum += (ahead - slope_along(z, network, weight, images, values)) / (2 * step);
  }
  std::copy(before.begin(), before.end(), weight.latent().mutable_data());
  weight.set_frozen(frozen);
  return sum / kDraws / size;
}

}  // namespace pare
