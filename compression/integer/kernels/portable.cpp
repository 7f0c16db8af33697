// The portable kernels: the shared loops on plain integers. Slow, small, and the same everywhere.
#include <bit>
#include <cstring>

#include "compression/integer/kernels/simd/make_set.h"
#include "compression/integer/kernels/simd/sets.h"

namespace pare::integer {
namespace {

struct Portable {
  struct Sum {
    std::uint32_t lanes[kPanel];  // modulo 2^32
  };
  using Input = const std::uint8_t*;
  using Weights = const std::int8_t*;
  static constexpr std::int32_t kInputOffset = 128;
  static constexpr int kSumRegisters = 1;
  static constexpr int kMaxPanels = 1;
  static constexpr int rows(int) { return 4; }

  static Sum zero() { return {}; }
  static Sum load(const std::int32_t* p) {
    return each([&](int c) { return p[c]; });
  }
  static Weights load_weights(const std::int8_t* p) { return p; }
  static Input broadcast(const std::uint8_t* p) { return p; }
  static Sum dot(Sum sum, Input x, Weights w) {
    for (int c = 0; c < kPanel; ++c) {
      std::int32_t products = 0;
      for (int k = 0; k < kEntryTaps; ++k) products += x[k] * w[c * kEntryTaps + k];
      sum.lanes[c] += static_cast<std::uint32_t>(products);
    }
    return sum;
  }
  static Sum add_ones(Sum sum, const std::uint8_t* x, const std::uint32_t* w) {
    std::uint32_t taps;
    std::memcpy(&taps, x, sizeof taps);
    for (int c = 0; c < kPanel; ++c) {
      sum.lanes[c] += static_cast<std::uint32_t>(std::popcount(taps & w[c]));
    }
    return sum;
  }
  static Sum add(Sum a, const Sum& b) {
    for (int c = 0; c < kPanel; ++c) a.lanes[c] += b.lanes[c];
    return a;
  }
  static Sum max(Sum a, const Sum& b) {
    for (int c = 0; c < kPanel; ++c) {
      if (static_cast<std::int32_t>(b.lanes[c]) > static_cast<std::int32_t>(a.lanes[c])) {
        a.lanes[c] = b.lanes[c];
      }
    }
    return a;
  }
  template <class Lane>
  static Sum each(const Lane& lane) {
    Sum sum;
    for (int c = 0; c < kPanel; ++c) sum.lanes[c] = static_cast<std::uint32_t>(lane(c));
    return sum;
  }
  static std::int32_t at(const Sum& a, int c) { return static_cast<std::int32_t>(a.lanes[c]); }

  static Sum widen(const std::int8_t* codes) {
    return each([&](int c) { return codes[c]; });
  }
  static Sum widen(const std::uint8_t* bytes) {
    return each([&](int c) { return bytes[c]; });
  }
  static Sum fill(std::int32_t value) {
    return each([&](int) { return value; });
  }
  static Sum shift_left(const Sum& a, int count) {
    return each([&](int c) { return a.lanes[c] << count; });
  }
  static Sum multiply(const Sum& a, const Sum& b) {
    return each([&](int c) {
      return static_cast<std::int16_t>(a.lanes[c]) * static_cast<std::int16_t>(b.lanes[c]);
    });
  }
  using AnyScaling = ScalingInMemory<Portable>;
  using HighScaling = AnyScaling;
  using PositiveScaling = AnyScaling;
  static Sum scale(const Sum& sum, const PanelScaling& s) {
    return each([&](int c) {
      const int slot = PanelScaling::slot(c);
      const std::int64_t acc = at(sum, c);
      return (acc * s.value[slot] + s.nudge[slot] - (acc < 0 ? s.correction[slot] : 0)) >>
             s.right[slot];
    });
  }
  static void store(const Sum& scaled, const CodeRange& range, std::int8_t* out, int used) {
    for (int c = 0; c < used; ++c) {
      out[c] = static_cast<std::int8_t>(
          clamp_code(std::int64_t{at(scaled, c)} + range.zero_point, range.low, range.high));
    }
  }
};

constexpr KernelSet kSet = make_kernel_set<Portable>("portable");

}  // namespace

const KernelSet* portable_kernels() { return &kSet; }

}  // namespace pare::integer
