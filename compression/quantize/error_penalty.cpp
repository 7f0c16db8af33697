#include "compression/quantize/error_penalty.h"

#include "framework/base/parallel.h"

namespace pare {
namespace {

constexpr std::int64_t kTile = 1 << 14;

}  // namespace

Variable with_error_penalty(const Variable& y, const Variable& x, double lambda) {
  return record("error_penalty", y.value(), {y, x},
                [codes = y.value(), values = x.value(), factor = static_cast<float>(2 * lambda)](
                    const Tensor& dy, Gradients& gradients) {
                  if (gradients.wants(0)) gradients.give(0, dy);
                  if (!gradients.wants(1)) return;
                  const GradientSlot dx = gradients.slot(1);
                  parallel_tiles(values.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      const float g = factor * (values.data()[i] - codes.data()[i]);
                      dx.data[i] = dx.beta == 0 ? g : dx.data[i] + g;
                    }
                  });
                });
}

}  // namespace pare
