#include "apps/lib/layer_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "compression/groups.h"
#include "compression/prune/mask.h"
#include "compression/quantize/activation_quantizer.h"
#include "compression/quantize/weight_quantizer.h"
#include "datasets/batches.h"
#include "layers/weighted.h"

namespace pare {
namespace {

constexpr int kBins = 48;
constexpr std::int64_t kMostImages = 256;
constexpr std::int64_t kMostValues = 1 << 22;  // of what is watched, all at once

const Mask* mask_of(const Parameter& weight) {
  return dynamic_cast<const Mask*>(weight.find(kMask));
}

std::optional<double> sqnr(std::span<const float> exact, std::span<const float> rounded) {
  double power = 0, noise = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double x = exact[i], error = x - static_cast<double>(rounded[i]);
    power += x * x;
    noise += error * error;
  }
  if (power == 0 || noise == 0) return std::nullopt;
  return 10 * std::log10(power / noise);
}

// Nothing where there is no grid, or one per channel.
std::optional<report::Limits> ends_of(const Quantizer& quantizer) {
  if (!quantizer.ready()) return std::nullopt;
  const Grid grid = quantizer.grid();
  if (grid.channels() != 1) return std::nullopt;
  const auto real = [&](std::int32_t code) {
    return static_cast<double>(to_real(code, grid.zero_points[0], grid.scales[0]) + grid.offset);
  };
  return report::Limits{real(grid.format.qmin()), real(grid.format.qmax())};
}

Tensor value_of(Parameter& weight) {
  const NoGradient no_gradient;
  const Tensor value = weight.value(Pass::begin(Pass::Mode::evaluate, 0, 0)).value();
  weight.release();
  return value;
}

void add_weights(Parameter& weight, LayerStatistics& layer) {
  const Tensor value = value_of(weight);
  const std::span<const float> computed = value.values();
  const std::vector<float> before = masked_values(weight);
  layer.shape = weight.shape();
  if (const Mask* mask = mask_of(weight)) layer.masked = mask->pruned();
  layer.zeros = std::count(computed.begin(), computed.end(), 0.0f);
  const auto [low, high] = std::minmax_element(computed.begin(), computed.end());
  layer.range = {static_cast<double>(*low), static_cast<double>(*high)};
  layer.weights.histogram = report::histogram(before, kBins);
  layer.weights.sqnr = sqnr(before, computed);
  if (const auto* t = dynamic_cast<const WeightQuantizer*>(weight.find(kWeightQuantizer)))
    layer.weights.grid = ends_of(t->quantizer());
}

// The node that quantizes what leaves `tail`; "" where there is none.
std::string quantizer_node(const Network& network, const std::string& tail) {
  const ActivationQuantizer* quantizer = edge_quantizer(network, tail);
  for (const std::string& reader : network.readers(tail)) {
    if (quantizer && network.node(reader).module.get() == quantizer) return reader;
  }
  return "";
}

// The outputs of these nodes for the first images.
std::map<std::string, Tensor> outputs_of(Network& network, const std::vector<std::string>& nodes,
                                         const Images& images,
                                         const std::vector<PixelValues>& values) {
  const NoGradient no_gradient;
  std::map<std::string, Tensor> outputs;
  const auto tap = [&](const std::string& node, const Variable& value) {
    if (std::find(nodes.begin(), nodes.end(), node) != nodes.end()) outputs[node] = value.value();
  };
  std::int64_t size = 1;  // of what one image leaves
  for (const std::string& node : nodes) size += node.empty() ? 0 : network.node(node).shape.size();
  const std::int64_t count = std::clamp<std::int64_t>(kMostValues / size, 1, kMostImages);
  const Batch batch = batch_in_order(images, values, 0, count);
  network.forward(Variable(batch.images), Pass::begin(Pass::Mode::evaluate, 0, 0), tap);
  network.release();
  return outputs;
}

void add_activations(const Network& network, const std::string& tail,
                     const std::map<std::string, Tensor>& outputs, RoundedValues& activations) {
  const Tensor& exact = outputs.at(tail);
  activations.histogram = report::histogram(exact.values(), kBins);
  const std::string quantizer = quantizer_node(network, tail);
  if (quantizer.empty()) return;
  activations.sqnr = sqnr(exact.values(), outputs.at(quantizer).values());
  const ActivationQuantizer& node = *edge_quantizer(network, tail);
  if (!quantizer_row(node.config().quantizer).at_run_time)
    activations.grid = ends_of(node.quantizer());
}

std::string extents(const Shape& shape) {
  std::vector<std::int64_t> numbers;
  for (int axis = 0; axis < shape.rank(); ++axis) numbers.push_back(shape[axis]);
  return fmt::format("{}", fmt::join(numbers, " x "));
}

report::WeightMatrix matrix_of(const std::string& node, Parameter& weight) {
  const Tensor value = value_of(weight);
  const Mask* mask = mask_of(weight);
  const ChannelView view = channel_view(weight.shape(), weight.channel_axis());
  report::WeightMatrix matrix{
      node, extents(weight.shape()), view.channels, view.outer * view.inner, {}, {}};
  for (std::int64_t c = 0; c < view.channels; ++c) {
    for (std::int64_t o = 0; o < view.outer; ++o) {
      for (std::int64_t i = 0; i < view.inner; ++i) {
        const auto at = static_cast<std::size_t>((o * view.channels + c) * view.inner + i);
        matrix.values.push_back(value.values()[at]);
        matrix.keep.push_back(mask ? mask->keep()[at] : 1);
      }
    }
  }
  return matrix;
}

}  // namespace

std::vector<LayerStatistics> layer_statistics(Network& network, const Images& images,
                                              const std::vector<PixelValues>& values) {
  std::vector<LayerStatistics> layers;
  std::vector<std::string> tails, watched;
  for (const Group& group : find_groups(network)) {
    const NetworkNode& head = network.node(group.head);
    auto* weighted = dynamic_cast<Weighted*>(head.module.get());
    if (!weighted) continue;
    LayerStatistics layer;
    layer.name = head.name;
    layer.kind = head.module->kind();
    add_weights(weighted->weight(), layer);
    layers.push_back(std::move(layer));
    tails.push_back(group.tail());
    watched.insert(watched.end(), {group.tail(), quantizer_node(network, group.tail())});
  }
  const auto outputs = outputs_of(network, watched, images, values);
  for (std::size_t i = 0; i < layers.size(); ++i)
    add_activations(network, tails[i], outputs, layers[i].activations);
  return layers;
}

std::vector<float> masked_values(const Parameter& weight) {
  const std::span<const float> latent = weight.latent().values();
  std::vector<float> values(latent.begin(), latent.end());
  if (const Mask* mask = mask_of(weight)) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!mask->keep()[i]) values[i] = 0;
    }
  }
  return values;
}

std::vector<report::WeightMatrix> weight_matrices(Network& network) {
  std::vector<report::WeightMatrix> matrices;
  for (const NetworkNode& node : network.nodes()) {
    if (auto* weighted = dynamic_cast<Weighted*>(node.module.get()))
      matrices.push_back(matrix_of(node.name, weighted->weight()));
  }
  return matrices;
}

}  // namespace pare
