// NEON, as every 64-bit ARM processor has it. Bytes are signed on both sides here, so inputs keep
// their codes.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/simd/sets.h"

#if defined(__aarch64__)

#include <arm_neon.h>

#include "compression/integer/kernels/simd/multiply_tiles.h"

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
  static Sum add(const Sum& a, const Sum& b) {
    return each([&](int q) { return vaddq_s32(a.quads[q], b.quads[q]); });
  }
  static Sum max(const Sum& a, const Sum& b) {
    return each([&](int q) { return vmaxq_s32(a.quads[q], b.quads[q]); });
  }

  // Two channels, as 64-bit lanes. A negative count shifts to the right.
  static int64x2_t scale(int32x2_t sums, const PanelScaling& s, int slot) {
    const int64x2_t product = vmull_s32(sums, vmovn_s64(vld1q_s64(s.value + slot)));
    const int64x2_t negative = vshrq_n_s64(product, 63);
    int64x2_t sum = vaddq_s64(product, vld1q_s64(s.nudge + slot));
    sum = vsubq_s64(sum, vandq_s64(negative, vld1q_s64(s.correction + slot)));
    return vshlq_s64(sum, vnegq_s64(vld1q_s64(s.right + slot)));
  }
  // Four codes as int32, of the channels 4 q .. 4 q + 3.
  static int32x4_t codes(int32x4_t sums, const PanelScaling& s, int q, const CodeRange& range) {
    const int32x4_t apart = vuzp1q_s32(sums, vextq_s32(sums, sums, 1));  // 0 2 1 3
    const int32x2_t even = vmovn_s64(scale(vget_low_s32(apart), s, 2 * q));
    const int32x2_t odd = vmovn_s64(scale(vget_high_s32(apart), s, 2 * q + kPanel / 2));
    int32x4_t code = vcombine_s32(vzip1_s32(even, odd), vzip2_s32(even, odd));
    // Clamping before the zero point is added cannot overflow.
    code = vmaxq_s32(code, vdupq_n_s32(range.low - range.zero_point));
    code = vminq_s32(code, vdupq_n_s32(range.high - range.zero_point));
    return vaddq_s32(code, vdupq_n_s32(range.zero_point));
  }

  static void finish(const Sum& sum, const PanelScaling& scaling, const CodeRange& range,
                     std::int8_t* out, int used) {
    const auto words = [&](int q) {
      return vcombine_s16(vmovn_s32(codes(sum.quads[q], scaling, q, range)),
                          vmovn_s32(codes(sum.quads[q + 1], scaling, q + 1, range)));
    };
    std::int8_t bytes[kPanel];
    vst1q_s8(bytes, vcombine_s8(vmovn_s16(words(0)), vmovn_s16(words(2))));
    std::memcpy(out, bytes, static_cast<std::size_t>(used));
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
