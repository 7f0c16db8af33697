// How weights lie in memory: panels, nibbles, narrow tiles, small entries.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <vector>

#include "compression/integer/kernels/packed_layer.h"
#include "compression/integer/kernels/pixel_map.h"
#include "compression/integer/kernels/small_entries.h"
#include "compression/integer/kernels/sparse_layer.h"
#include "tests/integer/random_program.h"

namespace pare::integer {
namespace {

TEST_CASE("weights of at most four bits stay packed: half of the bytes, the same values") {
  Draw draw(3);
  Weights weights;
  weights.bits = 4;
  const WeightLayout layout{64, 40, false};
  for (std::int64_t i = 0; i < layout.count(); ++i) {
    weights.codes.push_back(static_cast<std::int8_t>(draw.between(-8, 7)));
  }
  Channels channels;
  channels.bias.assign(64, 0);
  channels.multipliers.assign(64, {1 << 30, 0});
  const auto pack = [&](bool nibbles) {
    return pack_layer(weights, channels, layout, 0, 64, {{0, 0, 40}}, 0, Rounding::twice,
                      {128, 4, nibbles});
  };
  const PackedLayer bytes = pack(false), nibbles = pack(true);
  REQUIRE(nibbles.nibbles);
  REQUIRE(nibbles.weights.size() * 2 == bytes.weights.size());
  for (std::size_t i = 0; i < bytes.weights.size(); ++i) {
    const std::size_t panel = i / 64;  // even ones in the low halves
    const int both = static_cast<std::uint8_t>(nibbles.weights[panel / 2 * 64 + i % 64]);
    const int code = panel % 2 == 0 ? both & 15 : both >> 4;
    REQUIRE((code ^ 8) - 8 == bytes.weights[i]);
  }
  weights.codes[100] = 8;  // five bits
  CHECK(!pack(true).nibbles);
}

TEST_CASE("where tiles have one panel, two entries share the bytes of packed weights") {
  constexpr std::int64_t kTaps = 20;  // five entries: the sixth is zeros
  Draw draw(4);
  Weights weights;
  weights.bits = 4;
  for (std::int64_t i = 0; i < 16 * kTaps; ++i)
    weights.codes.push_back(static_cast<std::int8_t>(draw.between(1, 7)));
  Channels channels;
  channels.bias.assign(16, 0);
  channels.multipliers.assign(16, {1 << 30, 0});
  const PackedLayer layer = pack_layer(weights, channels, {16, kTaps, false}, 0, 16,
                                       {{0, 0, kTaps}}, 0, Rounding::twice, {128, 1, true});
  REQUIRE(layer.nibbles);
  REQUIRE(layer.tiles[0].entries == 6);
  CHECK(layer.offsets == std::vector<std::int32_t>{0, 4, 8, 12, 16, 16});
  REQUIRE(layer.weights.size() == 3 * 64);
  for (std::int64_t channel = 0; channel < 16; ++channel) {
    for (std::int64_t tap = 0; tap < 24; ++tap) {
      const std::int64_t entry = tap / 4;
      const int both =
          static_cast<std::uint8_t>(layer.weights[entry / 2 * 64 + channel * 4 + tap % 4]);
      const int code = tap < kTaps ? weights.codes[channel * kTaps + tap] : 0;
      REQUIRE((entry % 2 == 0 ? both & 15 : both >> 4) == code);
    }
  }
}

// 255 * (|a| + |b|) added up over a group must fit 16 bits: that is what makes AVX2 exact.
TEST_CASE("entries whose products fit 16 bits come first, in groups that fit together") {
  constexpr std::int64_t kEntries = 300;
  Draw draw(5);
  Tile tile;
  tile.panels = 1;
  tile.entries = kEntries;
  std::vector<std::int32_t> offsets;
  AlignedVector<std::int8_t> weights;
  std::multiset<std::vector<int>> before, after;
  for (std::int64_t e = 0; e < kEntries; ++e) {
    const int most = draw.chance(10) ? 127 : draw.between(0, 70);
    offsets.push_back(static_cast<std::int32_t>(e));
    for (int i = 0; i < 64; ++i)
      weights.push_back(static_cast<std::int8_t>(draw.between(-most, most)));
  }
  const auto entry = [&](std::int64_t e) {
    std::vector<int> all(weights.begin() + e * 64, weights.begin() + (e + 1) * 64);
    all.push_back(offsets[e]);
    return all;
  };
  for (std::int64_t e = 0; e < kEntries; ++e) before.insert(entry(e));
  put_small_first(tile, offsets, weights);
  for (std::int64_t e = 0; e < kEntries; ++e) after.insert(entry(e));
  CHECK(before == after);

  std::int64_t e = 0;
  for (std::size_t k = 0; k < kSmallGroups.size(); ++k) {
    CHECK(tile.small[k] > 0);
    REQUIRE(tile.small[k] % kSmallGroups[k] == 0);
    for (const std::int64_t end = e + tile.small[k]; e < end; e += kSmallGroups[k]) {
      for (int i = 0; i < 64; i += 2) {
        int sum = 0;
        for (std::int64_t of = e; of < e + kSmallGroups[k]; ++of)
          sum += std::abs(weights[of * 64 + i]) + std::abs(weights[of * 64 + i + 1]);
        REQUIRE(255 * sum <= 32767);
      }
    }
  }
  CHECK(e < kEntries);
  for (; e < kEntries; ++e) {  // none of the others would have fitted
    int most = 0;
    for (int i = 0; i < 64; i += 2)
      most = std::max(most, std::abs(weights[e * 64 + i]) + std::abs(weights[e * 64 + i + 1]));
    REQUIRE(255 * most > 32767);
  }
}

TEST_CASE("channels that would fill half of a panel or less share its lanes") {
  const auto pack = [](std::int64_t outputs, std::int64_t taps) {
    Weights weights;
    weights.codes.assign(outputs * taps, 1);
    Channels channels;
    channels.bias.assign(outputs, 0);
    channels.multipliers.assign(outputs, {1 << 30, -8});
    return pack_layer(weights, channels, {outputs, taps, false}, 0, outputs, {{0, 0, taps}}, 0,
                      Rounding::twice, {128, 4, false, true});
  };
  const auto shape = [](const PackedLayer& layer) {
    std::vector<std::array<std::int64_t, 4>> tiles;
    for (const Tile& t : layer.tiles) tiles.push_back({t.channel, t.panels, t.share, t.entries});
    return tiles;
  };
  using Tiles = std::vector<std::array<std::int64_t, 4>>;
  CHECK(shape(pack(20, 64)) == Tiles{{0, 1, 1, 16}, {16, 1, 4, 4}});
  CHECK(shape(pack(24, 24)) == Tiles{{0, 1, 1, 6}, {16, 1, 2, 3}});
  CHECK(shape(pack(3, 24)) == Tiles{{0, 1, 4, 2}});
  CHECK(shape(pack(8, 100)) == Tiles{{0, 1, 2, 13}});
  CHECK(shape(pack(25, 64)) == Tiles{{0, 2, 1, 16}});  // nine are too many
  CHECK(shape(pack(20, 4)) == Tiles{{0, 2, 1, 1}});    // nothing to share
  CHECK(pack(20, 64).lanes.start.size() == 32);
}

TEST_CASE("lanes of a narrow tile are pixels where several fit a load") {
  constexpr std::int64_t kOutputs = 4, kTaps = 25;
  Weights weights;
  for (std::int64_t i = 0; i < kOutputs * kTaps; ++i)
    weights.codes.push_back(static_cast<std::int8_t>(i + 1));
  Channels channels;
  channels.bias.assign(kOutputs, 0);
  channels.multipliers.assign(kOutputs, {1 << 30, -8});
  const auto pack = [&](std::int64_t step, std::int64_t width = 24) {
    std::vector<TapRun> runs;
    for (std::int64_t row = 0; row < 5; ++row) runs.push_back({28 * row, 5 * row, 5, step, width});
    return pack_layer(weights, channels, {kOutputs, kTaps, false}, 0, kOutputs, runs, 0,
                      Rounding::twice,
                      {.input_offset = 128,
                       .max_panels = 4,
                       .nibbles = false,
                       .narrow = true,
                       .neighbours = true});
  };
  const PackedLayer layer = pack(1);
  REQUIRE(layer.tiles.size() == 1);
  const Tile& tile = layer.tiles[0];
  CHECK(tile.pixels);
  CHECK(tile.share == 4);
  REQUIRE(tile.entries == 10);  // for four pixels; 5 of 16 bytes for each
  CHECK(layer.offsets == std::vector<std::int32_t>{0, 4, 28, 32, 56, 60, 84, 88, 112, 116});
  for (std::int64_t lane = 0; lane < 16; ++lane) {
    const std::int64_t channel = lane % 4;
    CHECK(layer.weights[lane * 4 + 3] == channel * kTaps + 4);
    CHECK(layer.weights[64 + lane * 4] == channel * kTaps + 5);
    CHECK(layer.weights[64 + lane * 4 + 1] == 0);
  }
  CHECK(pack(4).tiles[0].share == 4);
  CHECK(pack(4).tiles[0].pixels);
  CHECK(!pack(5).tiles[0].pixels);  // the fourth pixel's taps end behind 16 bytes, and two are dear
  CHECK(!pack(0).tiles[0].pixels);
  CHECK(!pack(1, 23).tiles[0].pixels);  // rows end within a group
}

TEST_CASE("the last taps of four kernel rows are an entry of stacked rows") {
  std::vector<TapRun> runs;
  for (std::int64_t row = 0; row < 5; ++row) runs.push_back({28 * row, 5 * row, 5, 1, 24});
  const std::vector<TapRun> stacked = stack_rows(runs, 1000);
  REQUIRE(stacked.size() == 6);
  for (std::size_t row = 0; row < 4; ++row) {
    CHECK(stacked[row].length == 4);
    CHECK(stacked[row].offset == runs[row].offset);
  }
  CHECK(stacked[4].length == 5);  // a fifth row has no three below
  CHECK(stacked[5].stacked);
  CHECK(stacked[5].offset == 1000 + 4 * 4);
  CHECK(stacked[5].first == 4);
  CHECK(stacked[5].stride == 5);
  Weights weights;
  for (std::int64_t i = 0; i < 16 * 25; ++i)
    weights.codes.push_back(static_cast<std::int8_t>(i % 127 + 1));
  Channels channels;
  channels.bias.assign(16, 0);
  channels.multipliers.assign(16, {1 << 30, -8});
  const PackedLayer layer = pack_layer(
      weights, channels, {16, 25, false}, 0, 16, runs, 0, Rounding::twice,
      {.input_offset = 128, .max_panels = 4, .nibbles = false, .neighbours = true}, stacked);
  REQUIRE(layer.tiles.size() == 1);
  CHECK(layer.tiles[0].entries == 7);
  CHECK(layer.tiles[0].stacked == 1);
  CHECK(layer.offsets == std::vector<std::int32_t>{0, 28, 56, 84, 112, 116, 1016});
  for (std::int64_t k = 0; k < 4; ++k) CHECK(layer.weights[6 * 64 + k] == weights.codes[5 * k + 4]);
  // Rows of whole entries have nothing to stack, nor have three of five.
  for (TapRun& run : runs) run.length = 8;
  CHECK(stack_rows(runs, 1000).size() == 5);
  for (TapRun& run : runs) run.length = 5;
  runs.resize(3);
  CHECK(stack_rows(runs, 1000).size() == 3);
}

TEST_CASE("entries of three columns stand together where few of them are zeros") {
  constexpr std::int64_t kDepth = 8, kTaps = 9 * kDepth, kRow = 100;
  Weights weights;
  for (std::int64_t i = 0; i < 16 * kTaps; ++i)
    weights.codes.push_back(static_cast<std::int8_t>(i % 127 + 1));
  Channels channels;
  channels.bias.assign(32, 0);
  channels.multipliers.assign(32, {1 << 30, -8});
  const auto pack = [&](std::int64_t outputs, std::int64_t step, std::int64_t width = 32) {
    const auto run = [&](std::int64_t row) {
      return TapRun{row * kRow, row * 3 * kDepth, 3 * kDepth, step, width};
    };
    return pack_layer(weights, channels, {outputs, kTaps, false}, 0, outputs,
                      {run(0), run(1), run(2)}, 0, Rounding::twice,
                      {.input_offset = 128, .max_panels = 4, .nibbles = false, .neighbours = true});
  };
  const PackedLayer shared = pack(16, kDepth), alone = pack(16, 2 * kDepth);
  REQUIRE(shared.tiles[0].columns == 3);
  CHECK(shared.tiles[0].entries == 18);
  CHECK(std::vector(shared.offsets.begin(), shared.offsets.begin() + 7) ==
        std::vector<std::int32_t>{0, 8, 16, 4, 12, 20, 100});
  CHECK(alone.tiles[0].columns == 1);
  CHECK(alone.offsets[1] == 4);
  for (int entry = 0; entry < 6; ++entry) {  // of the first row: column entry % 3, half entry / 3
    const std::int64_t place = entry % 3 * 2 + entry / 3;
    CHECK(std::equal(shared.weights.begin() + entry * 64, shared.weights.begin() + entry * 64 + 64,
                     alone.weights.begin() + place * 64));
  }
  // A third of the entries is zeros: with all three of a place 18 would be kept, else 12.
  for (std::int64_t c = 0; c < 16; ++c) {
    for (std::int64_t row = 0; row < 3; ++row)
      std::fill_n(weights.codes.begin() + c * kTaps + row * 3 * kDepth, kDepth, std::int8_t{0});
  }
  CHECK(pack(16, kDepth).tiles[0].columns == 1);
  CHECK(pack(16, kDepth).tiles[0].entries == 12);
  std::fill(weights.codes.begin(), weights.codes.end(), std::int8_t{0});
  CHECK(pack(16, kDepth).tiles[0].columns == 1);
  weights.codes.assign(32 * kTaps, 1);
  CHECK(pack(32, kDepth).tiles[0].columns == 1);  // two panels share inputs as it is
}

TEST_CASE("runs of weights are kept in windows where that is cheaper") {
  constexpr std::int64_t kOutputs = 64, kTaps = 640;
  Weights weights;
  weights.affine = true;
  weights.zero_points = {-100};
  weights.codes.assign(kOutputs * kTaps, -100);
  for (std::int64_t c = 0; c < kOutputs; ++c)
    std::fill_n(weights.codes.begin() + c * kTaps + c * 3 % 40 * 16, 16, std::int8_t{-90});
  Channels channels;
  channels.bias.assign(kOutputs, 0);
  channels.multipliers.assign(kOutputs, {1 << 30, -8});
  const WeightLayout layout{kOutputs, kTaps, false};
  const std::vector<TapRun> runs{{0, 0, kTaps}};
  const auto pack = [&](bool small = false) {
    const PackedLayer dense = pack_layer(weights, channels, layout, 0, kOutputs, runs, 0,
                                         Rounding::twice, {128, 4, true, true});
    return pack_sparse(weights, channels, layout, runs, dense, {.entry = 5, .fold = 16, .dense = 1},
                       small);
  };
  weights.codes[kTaps] = 100;  // channel 1: 200 = 127 + 73 takes two windows more
  const std::optional<SparseLayer> few = pack();
  REQUIRE(few);
  REQUIRE(few->quads.size() == 16);
  CHECK(few->quads[0].entries == 3);
  CHECK(few->quads[1].entries == 1);
  CHECK(few->order[1] == 0);
  CHECK(few->order[0] == 1);
  // Two of 200 side by side: 127 and 1, 73 and 55, then 127 and 17 alone.
  weights.codes[kTaps + 1] = 100;
  CHECK(pack()->quads[0].entries == 3);
  const std::optional<SparseLayer> small = pack(true);
  REQUIRE(small);
  CHECK(small->quads[0].entries == 5);
  for (std::size_t i = 0; i < small->weights.size(); i += 2)
    REQUIRE(std::abs(small->weights[i]) + std::abs(small->weights[i + 1]) <= kSmallPair);
  for (std::int64_t c = 0; c < kOutputs; ++c)
    std::fill_n(weights.codes.begin() + c * kTaps, 240, std::int8_t{-90});
  CHECK(!pack());
}

}  // namespace
}  // namespace pare::integer
