#include "compression/integer/kernels/sparse_layer.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>

#include "compression/integer/kernels/effective_weights.h"

namespace pare::integer {
namespace {

std::int64_t entries_of(const PackedLayer& dense) {
  std::int64_t sum = 0;
  for (const Tile& tile : dense.tiles)
    sum += tile.entries * tile.panels / (tile.pixels ? tile.share : 1);
  return sum;
}

struct Window {
  std::int32_t offset;
  std::array<std::int8_t, kWindowTaps> weights;
};

// visit(offset, rest) for every window of one channel: the weights of 16 taps, still too wide for
// bytes.
template <class Visit>
void each_window(const EffectiveWeights& weight, std::int64_t channel,
                 const std::vector<TapRun>& runs, const Visit& visit) {
  for (const TapRun& run : runs) {
    for (std::int64_t at = 0; at < run.length; ++at) {
      if (weight(channel, run.first + at) == 0) continue;
      std::array<std::int32_t, kWindowTaps> rest{};
      const std::int64_t taps = std::min<std::int64_t>(kWindowTaps, run.length - at);
      for (std::int64_t k = 0; k < taps; ++k) rest[k] = weight(channel, run.first + at + k);
      visit(static_cast<std::int32_t>(run.offset + at), rest);
      at += kWindowTaps - 1;
    }
  }
}

// What a window takes of the weights that are left of two neighbouring taps.
std::array<std::int8_t, 2> take_pair(std::int32_t a, std::int32_t b, bool small) {
  a = std::clamp(a, -127, 127);
  const std::int32_t most = small ? std::min(127, kSmallPair - std::abs(a)) : 127;
  return {static_cast<std::int8_t>(a), static_cast<std::int8_t>(std::clamp(b, -most, most))};
}

// What one window cannot hold is spread over several at the same place.
std::vector<Window> windows_of(const EffectiveWeights& weight, std::int64_t channel,
                               const std::vector<TapRun>& runs, bool small) {
  std::vector<Window> windows;
  each_window(weight, channel, runs, [&](std::int32_t offset, auto rest) {
    while (std::any_of(rest.begin(), rest.end(), [](std::int32_t d) { return d != 0; })) {
      Window& window = windows.emplace_back();
      window.offset = offset;
      for (std::size_t k = 0; k < rest.size(); k += 2) {
        const auto [a, b] = take_pair(rest[k], rest[k + 1], small);
        window.weights[k] = a;
        window.weights[k + 1] = b;
        rest[k] -= a;
        rest[k + 1] -= b;
      }
    }
  });
  return windows;
}

// At least as many entries as the layer will have: quads are as long as their longest channel.
std::int64_t least_entries(const EffectiveWeights& weight, std::int64_t outputs,
                           const std::vector<TapRun>& runs) {
  std::int64_t windows = 0;
  for (std::int64_t c = 0; c < outputs; ++c)
    each_window(weight, c, runs, [&](std::int32_t, const auto&) { ++windows; });
  return windows / kQuad;
}

using PanelWindows = std::array<std::vector<Window>, kPanel>;

// Channels of a panel, those with the most windows first.
std::array<std::int32_t, kPanel> sorted(const PanelWindows& windows) {
  std::array<std::int32_t, kPanel> channels{};
  std::iota(channels.begin(), channels.end(), 0);
  std::stable_sort(channels.begin(), channels.end(), [&](std::int32_t a, std::int32_t b) {
    return windows[a].size() > windows[b].size();
  });
  return channels;
}

void append_quad(SparseLayer& packed, const PanelWindows& windows,
                 const std::int32_t (&channels)[kQuad]) {
  const std::int64_t entries = std::ssize(windows[channels[0]]);  // the first has the most
  packed.quads.push_back({std::ssize(packed.offsets) / kQuad, entries});
  for (std::int64_t e = 0; e < entries; ++e) {
    for (const std::int32_t c : channels) {
      const Window window = e < std::ssize(windows[c]) ? windows[c][e] : Window{};
      packed.offsets.push_back(window.offset);
      packed.weights.insert(packed.weights.end(), window.weights.begin(), window.weights.end());
    }
  }
}

}  // namespace

std::int64_t sparse_cost(const SparseLayer& layer, const SparseCosts& costs) {
  std::int64_t entries = 0;
  for (const SparseLayer::Quad& quad : layer.quads) entries += quad.entries;
  return entries * costs.entry + std::ssize(layer.quads) / kQuad * costs.fold;
}

std::optional<SparseLayer> pack_sparse(const Weights& weights, const Channels& channels,
                                       const WeightLayout& layout, const std::vector<TapRun>& runs,
                                       const PackedLayer& dense, const SparseCosts& costs,
                                       bool small) {
  const EffectiveWeights weight(weights, channels, layout);
  const std::int64_t panels = (dense.outputs + kPanel - 1) / kPanel;
  const std::int64_t affordable =
      (entries_of(dense) * costs.dense - panels * costs.fold) / costs.entry;
  // Counted before anything is stored: most layers are dense.
  if (least_entries(weight, dense.outputs, runs) >= affordable) return std::nullopt;
  SparseLayer packed;
  packed.outputs = dense.outputs;
  packed.order.resize(panels * kPanel);
  packed.lanes = dense.lanes;
  for (std::int64_t first = 0; first < dense.outputs; first += kPanel) {
    PanelWindows windows;
    for (std::int64_t c = 0; c < std::min<std::int64_t>(kPanel, dense.outputs - first); ++c)
      windows[c] = windows_of(weight, first + c, runs, small);
    const std::array<std::int32_t, kPanel> order = sorted(windows);
    for (std::int32_t place = 0; place < kPanel; place += kQuad) {
      append_quad(packed, windows,
                  {order[place], order[place + 1], order[place + 2], order[place + 3]});
    }
    for (std::int32_t place = 0; place < kPanel; ++place) {
      packed.order[first + order[place]] = place;
      packed.lanes.start[first + place] = dense.lanes.start[first + order[place]];
    }
  }
  if (std::ssize(packed.offsets) / kQuad >= affordable) return std::nullopt;
  return packed;
}

}  // namespace pare::integer
