// The portable kernels: the shared loops on plain integers. Slow, small, and the same everywhere.
#include "compression/integer/kernels/simd/multiply_tiles.h"
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
  static constexpr int kMaxPanels = 1;
  static constexpr int rows(int) { return 4; }

  static Sum zero() { return {}; }
  static Sum load(const std::int32_t* p) {
    Sum sum;
    for (int c = 0; c < kPanel; ++c) sum.lanes[c] = static_cast<std::uint32_t>(p[c]);
    return sum;
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
  static void finish(const Sum& sum, const PanelScaling& s, const CodeRange& range,
                     std::int8_t* out, int used) {
    for (int c = 0; c < used; ++c) {
      const int at = PanelScaling::slot(c);
      const std::int64_t acc = static_cast<std::int32_t>(sum.lanes[c]);
      const std::int64_t scaled =
          (acc * s.value[at] + s.nudge[at] - (acc < 0 ? s.correction[at] : 0)) >> s.right[at];
      out[c] =
          static_cast<std::int8_t>(clamp_code(scaled + range.zero_point, range.low, range.high));
    }
  }
};

constexpr KernelSet kSet = make_kernel_set<Portable>("portable");

}  // namespace

const KernelSet* portable_kernels() { return &kSet; }

}  // namespace pare::integer
