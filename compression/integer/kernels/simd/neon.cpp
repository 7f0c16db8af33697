// NEON, as every 64-bit ARM processor has it. Bytes are signed on both sides here, so inputs keep
// their codes.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/simd/sets.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#include "compression/integer/kernels/simd/make_set.h"

namespace pare::integer {
namespace {

struct Neon {
  struct Sum {
    int32x4_t quads[4];
  };
  using Input = int8x16_t;
  struct Weights {
    int8x16_t quads[4];
  };
  static constexpr std::int32_t kInputOffset = 0;
  static constexpr int kSumRegisters = 4;
  static constexpr int kMaxPanels = 1;
  static constexpr int rows(int) { return 4; }

  template <class Quad>
  static Sum each(const Quad& quad) {
    return {{quad(0), quad(1), quad(2), quad(3)}};
  }
  static Sum zero() {
    return each([](int) { return vdupq_n_s32(0); });
  }
  static Sum load(const std::int32_t* p) {
    return each([&](int q) { return vld1q_s32(p + 4 * q); });
  }
  static Weights load_weights(const std::int8_t* p) {
    return {{vld1q_s8(p), vld1q_s8(p + 16), vld1q_s8(p + 32), vld1q_s8(p + 48)}};
  }
  static void unpack(const std::int8_t* p, Weights& even, Weights& odd) {
    for (int q = 0; q < 4; ++q) {
      const int8x16_t bytes = vld1q_s8(p + 16 * q);
      even.quads[q] = vshrq_n_s8(vshlq_n_s8(bytes, 4), 4);
      odd.quads[q] = vshrq_n_s8(bytes, 4);
    }
  }
  static Input broadcast(const std::uint8_t* p) {
    std::int32_t taps;
    std::memcpy(&taps, p, sizeof taps);
    return vreinterpretq_s8_s32(vdupq_n_s32(taps));
  }
  // Four channels. A product is at most 128 * 127 and fits 16 bits.
  static int32x4_t dot_quad(int32x4_t sum, int8x16_t x, int8x16_t w) {
    const int16x8_t low = vmull_s8(vget_low_s8(x), vget_low_s8(w));
    const int16x8_t high = vmull_high_s8(x, w);
    return vaddq_s32(sum, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
  }
  static Sum dot(const Sum& sum, Input x, const Weights& w) {
    return each([&](int q) { return dot_quad(sum.quads[q], x, w.quads[q]); });
  }
  static Sum add_ones(const Sum& sum, const std::uint8_t* x, const std::uint32_t* w) {
    std::uint32_t taps;
    std::memcpy(&taps, x, sizeof taps);
    return each([&](int q) {
      const uint32x4_t both = vandq_u32(vdupq_n_u32(taps), vld1q_u32(w + 4 * q));
      const uint16x8_t pairs = vpaddlq_u8(vcntq_u8(vreinterpretq_u8_u32(both)));
      return vaddq_s32(sum.quads[q], vreinterpretq_s32_u32(vpaddlq_u16(pairs)));
    });
  }
  static Sum add(const Sum& a, const Sum& b) {
    return each([&](int q) { return vaddq_s32(a.quads[q], b.quads[q]); });
  }
  static Sum max(const Sum& a, const Sum& b) {
    return each([&](int q) { return vmaxq_s32(a.quads[q], b.quads[q]); });
  }

  static Sum widen(const std::int8_t* codes) {
    const int8x16_t bytes = vld1q_s8(codes);
    const int16x8_t low = vmovl_s8(vget_low_s8(bytes)), high = vmovl_high_s8(bytes);
    return {{vmovl_s16(vget_low_s16(low)), vmovl_high_s16(low), vmovl_s16(vget_low_s16(high)),
             vmovl_high_s16(high)}};
  }
  static Sum widen(const std::uint8_t* bytes) {
    return widen(reinterpret_cast<const std::int8_t*>(bytes));
  }
  static Sum fill(std::int32_t value) {
    return each([&](int) { return vdupq_n_s32(value); });
  }
  static Sum shift_left(const Sum& a, int count) {
    return each([&](int q) { return vshlq_s32(a.quads[q], vdupq_n_s32(count)); });
  }
  static Sum multiply(const Sum& a, const Sum& b) {
    return each([&](int q) { return vmull_s16(vmovn_s32(a.quads[q]), vmovn_s32(b.quads[q])); });
  }
  using AnyScaling = ScalingInMemory<Neon>;
  using HighScaling = AnyScaling;
  using PositiveScaling = AnyScaling;
  static Sum scale(const Sum& sum, const PanelScaling& s) {
    return each([&](int q) { return scale_quad(sum.quads[q], s, q); });
  }
  static void store(const Sum& scaled, const CodeRange& range, std::int8_t* out, int used) {
    const auto words = [&](int q) {
      return vcombine_s16(vmovn_s32(clamp(scaled.quads[q], range)),
                          vmovn_s32(clamp(scaled.quads[q + 1], range)));
    };
    std::int8_t bytes[kPanel];
    vst1q_s8(bytes, vcombine_s8(vmovn_s16(words(0)), vmovn_s16(words(2))));
    std::memcpy(out, bytes, static_cast<std::size_t>(used));
  }

 private:
  // Clamping before the zero point is added cannot overflow.
  static int32x4_t clamp(int32x4_t code, const CodeRange& range) {
    code = vmaxq_s32(code, vdupq_n_s32(range.low - range.zero_point));
    code = vminq_s32(code, vdupq_n_s32(range.high - range.zero_point));
    return vaddq_s32(code, vdupq_n_s32(range.zero_point));
  }

  // Two channels, as 64-bit lanes. A negative count shifts to the right.
  static int64x2_t scale_pair(int32x2_t sums, const PanelScaling& s, int slot) {
    const int64x2_t product = vmull_s32(sums, vmovn_s64(vld1q_s64(s.value + slot)));
    const int64x2_t negative = vshrq_n_s64(product, 63);
    int64x2_t sum = vaddq_s64(product, vld1q_s64(s.nudge + slot));
    sum = vsubq_s64(sum, vandq_s64(negative, vld1q_s64(s.correction + slot)));
    return vshlq_s64(sum, vnegq_s64(vld1q_s64(s.right + slot)));
  }

  // The channels 4 q .. 4 q + 3.
  static int32x4_t scale_quad(int32x4_t sums, const PanelScaling& s, int q) {
    const int32x4_t apart = vuzp1q_s32(sums, vextq_s32(sums, sums, 1));  // 0 2 1 3
    const int32x2_t even = vmovn_s64(scale_pair(vget_low_s32(apart), s, 2 * q));
    const int32x2_t odd = vmovn_s64(scale_pair(vget_high_s32(apart), s, 2 * q + kPanel / 2));
    return vcombine_s32(vzip1_s32(even, odd), vzip2_s32(even, odd));
  }
};

constexpr KernelSet kSet = make_kernel_set<Neon>("neon");

}  // namespace

const KernelSet* neon_kernels() { return &kSet; }

}  // namespace pare::integer

#else

namespace pare::integer {

const KernelSet* neon_kernels() { return nullptr; }

}  // namespace pare::integer

#endif
