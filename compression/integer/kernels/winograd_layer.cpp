#include "compression/integer/kernels/winograd_layer.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

#include "compression/integer/kernels/effective_weights.h"

namespace pare::integer {
namespace {

constexpr int kTaps = 9;
using Column = std::array<std::int32_t, 4>;

// Whose transformed weights take at most four bytes a weight: lanes that no channel fills count.
bool has_the_form(const Conv2d& op, const Tensor& input, const Tensor& output) {
  const Window& w = op.window;
  const std::int64_t lanes = (output.channels + kPanel - 1) / kPanel * kPanel;
  return w.kernel_h == 3 && w.kernel_w == 3 && w.stride_h == 1 && w.stride_w == 1 &&
         op.groups == 1 && input.channels % kWinogradInputs == 0 &&
         input.channels <= kMostWinogradInputs &&
         2 * kWinogradPlaces * lanes <= 4 * kTaps * std::int64_t{output.channels};
}

// For all output pixels. Tiles are multiplied four at a time.
std::int64_t cost_of(const Tensor& input, const Tensor& output, const WinogradCosts& costs) {
  const std::int64_t panels = (output.channels + kPanel - 1) / kPanel;
  const std::int64_t tiles = (std::int64_t{output.height} + 1) / 2 * ((output.width + 1) / 2);
  const std::int64_t pixels = std::int64_t{output.height} * output.width;
  return panels * ((tiles + 3) / 4 * 16 * input.channels * costs.input + pixels * costs.panel);
}

// 4 times any output fits int32 before the start is added: bytes are at most 255.
bool fit_sums(const EffectiveWeights& weight, std::int64_t outputs) {
  for (std::int64_t c = 0; c < outputs; ++c) {
    std::int64_t sum = 0;
    for (std::int64_t tap = 0; tap < weight.taps(); ++tap) sum += std::abs(weight(c, tap));
    if (4 * 255 * sum > std::numeric_limits<std::int32_t>::max()) return false;
  }
  return true;
}

// 2G g
Column spread(std::int32_t a, std::int32_t b, std::int32_t c) {
  return {2 * a, a + b + c, a - b + c, 2 * c};
}

// 2G g (2G)^T of one pair of channels, row by row.
std::array<std::int32_t, kWinogradPlaces> transformed(const EffectiveWeights& weight,
                                                      std::int64_t output, std::int64_t input,
                                                      std::int64_t inputs) {
  std::array<Column, 3> columns;
  for (std::int64_t x = 0; x < 3; ++x) {
    const auto g = [&](std::int64_t y) { return weight(output, (y * 3 + x) * inputs + input); };
    columns[x] = spread(g(0), g(1), g(2));
  }
  std::array<std::int32_t, kWinogradPlaces> places;
  for (std::size_t y = 0; y < 4; ++y) {
    const Column row = spread(columns[0][y], columns[1][y], columns[2][y]);
    std::copy(row.begin(), row.end(), places.begin() + 4 * y);
  }
  return places;
}

}  // namespace

std::int64_t packed_cost(const PackedLayer& layer, const WinogradCosts& costs) {
  std::int64_t cost = 0;
  for (const Tile& tile : layer.tiles) {
    const std::int64_t small = layer.nibbles ? tile.entries : tile.small_entries();
    cost += (tile.entries - small) * tile.panels * costs.entry + small * tile.panels * costs.small;
  }
  return cost;
}

std::optional<WinogradLayer> pack_winograd(const Conv2d& op, const Tensor& input,
                                           const Tensor& output, const PackedLayer& dense,
                                           const WinogradCosts& costs, std::int64_t cost) {
  const std::int64_t pixels = std::int64_t{output.height} * output.width;
  if (!has_the_form(op, input, output) || cost_of(input, output, costs) >= cost * pixels)
    return std::nullopt;
  const EffectiveWeights weight(op.weights, op.channels, weight_layout(op, input, output));
  if (!fit_sums(weight, output.channels)) return std::nullopt;
  const std::int64_t panels = (output.channels + kPanel - 1) / kPanel;
  WinogradLayer packed;
  packed.inputs = input.channels;
  packed.outputs = output.channels;
  packed.lanes = dense.lanes;
  packed.weights.resize(panels * kWinogradPlaces * packed.inputs * kPanel);
  for (std::int64_t c = 0; c < packed.outputs; ++c) {
    for (std::int64_t i = 0; i < packed.inputs; ++i) {
      const auto places = transformed(weight, c, i, packed.inputs);
      for (std::int64_t place = 0; place < kWinogradPlaces; ++place) {
        const std::int64_t pair =
            ((c / kPanel * kWinogradPlaces + place) * packed.inputs + i) / 2 * kPanel + c % kPanel;
        packed.weights[2 * pair + i % 2] = static_cast<std::int16_t>(places[place]);
      }
    }
  }
  return packed;
}

}  // namespace pare::integer
