#include "apps/lib/auto/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "apps/lib/auto/curvature.h"
#include "compression/quantize/grid.h"
#include "framework/autograd/variable.h"
#include "framework/ops/ops.h"
#include "layers/weighted.h"

namespace pare {
namespace {

constexpr std::int64_t kMostImages = 1000;
constexpr std::int64_t kBatch = 250;

double loss_of(Network& network, const Images& images, const std::vector<PixelValues>& values) {
  const NoGradient no_gradient;
  const Pass pass = Pass::begin(Pass::Mode::evaluate, 0, 0);
  const std::int64_t count = std::min(images.count(), kMostImages);
  double sum = 0;
  for (std::int64_t first = 0; first < count; first += kBatch) {
    const Batch batch = batch_in_order(images, values, first, std::min(kBatch, count - first));
    const Variable logits = network.forward(Variable(batch.images), pass);
    sum += double{softmax_cross_entropy(logits, batch.labels).value().item()} *
           static_cast<double>(batch.count());
  }
  network.release();
  return sum / static_cast<double>(count);
}

// ceil(sparsity * n) weights of the smallest magnitude become zero; of equal ones the first.
void prune(std::vector<float>& weights, double sparsity) {
  const auto count = static_cast<std::size_t>(
      std::ceil(sparsity * static_cast<double>(weights.size())));
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::fabs(weights[a]) < std::fabs(weights[b]);
  });
  for (std::size_t i = 0; i < count; ++i) weights[order[i]] = 0;
}

// Symmetric, one scale per channel.
void quantize(std::vector<float>& weights, const Parameter& parameter, int bits) {
  const ChannelView view = channel_view(parameter.shape(), parameter.channel_axis());
  const auto at = [&](std::int64_t o, std::int64_t c, std::int64_t i) -> float& {
    return weights[static_cast<std::size_t>((o * view.channels + c) * view.inner + i)];
  };
  for (std::int64_t c = 0; c < view.channels; ++c) {
    Range range;
    for (std::int64_t o = 0; o < view.outer; ++o) {
      for (std::int64_t i = 0; i < view.inner; ++i) {
        range.low = std::min(range.low, at(o, c, i));
        range.high = std::max(range.high, at(o, c, i));
      }
    }
    Grid grid{.format = {.bits = bits}, .scales = {}, .zero_points = {}};
    append_channel(grid, range, parameter.path());
    const double reciprocal = 1.0 / double{grid.scales[0]};
    for (std::int64_t o = 0; o < view.outer; ++o) {
      for (std::int64_t i = 0; i < view.inner; ++i) {
        float& w = at(o, c, i);
        w = to_real(to_code(w, reciprocal, 0, grid.format.qmin(), grid.format.qmax()), 0,
                    grid.scales[0]);
      }
    }
  }
}

void assign(Parameter& parameter, const std::vector<float>& weights) {
  std::copy(weights.begin(), weights.end(), parameter.latent().mutable_data());
}

double squared_distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += d * d;
  }
  return sum;
}

}  // namespace

double most_bytes(std::int64_t weights, int bits, double sparsity) {
  constexpr double kLearning = 1.02, kStart = 32;
  const auto n = static_cast<double>(weights);
  // Rounding makes zeros too: all codes equally often is the worst that can be.
  const double equal = n / (std::pow(2.0, bits) - 1);
  const double zeros = std::max(std::ceil(sparsity * n), equal), rest = n - zeros;
  const double kept = n - std::ceil(sparsity * n);
  const auto part = [n](double k) { return k > 0 ? k * std::log2(n / k) : 0; };
  const double values = std::log2(std::pow(2.0, bits) - 2);  // codes that are not zero
  const double packed = n * bits, bitmap = n + kept * bits;
  const double arithmetic = kLearning * (part(zeros) + part(rest) + rest * values) + 8 * kStart;
  return std::ceil(std::min({packed, bitmap, arithmetic}) / 8);
}

std::vector<LayerOptions> scan(Network& network, const SearchConfig& search,
                               const Images& validation, const std::vector<PixelValues>& values,
                               std::uint64_t seed) {
  network.release();
  const bool measured = search.sensitivity == Sensitivity::loss;
  const double base = measured ? loss_of(network, validation, values) : 0;
  std::vector<LayerOptions> layers;
  for (const NetworkNode& node : network.nodes()) {
    auto* weighted = dynamic_cast<Weighted*>(node.module.get());
    if (!weighted) continue;
    Parameter& weight = weighted->weight();
    const std::vector<float> before(weight.latent().values().begin(),
                                    weight.latent().values().end());
    LayerOptions layer{.node = node.name, .weights = weight.shape().size(), .options = {}};
    const double curvature =
        measured ? 0 : mean_curvature(network, weight, validation, values, seed);
    for (const int bits : search.bits) {
      for (const double sparsity : search.sparsity) {
        std::vector<float> changed = before;
        prune(changed, sparsity);
        quantize(changed, weight, bits);
        assign(weight, changed);
        const double macs = static_cast<double>(node.module->macs()) * (1 - sparsity);
        const double loss = measured ? loss_of(network, validation, values) - base
                                     : curvature / 2 * squared_distance(before, changed);
        layer.options.push_back({.bits = bits,
                                 .sparsity = sparsity,
                                 .bytes = most_bytes(layer.weights, bits, sparsity),
                                 .macs = macs,
                                 .loss = std::max(loss, 0.0)});
      }
    }
    assign(weight, before);
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace pare
