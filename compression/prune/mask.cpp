#include "compression/prune/mask.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "framework/base/error.h"
#include "framework/base/parallel.h"

namespace pare {
namespace {

constexpr std::int64_t kTile = 1 << 14;

// to[i] = beta * to[i] + (keep[i] ? from[i] : +0). Both values are there before the choice, or the
// compiler would branch around the load: a mispredicted branch for every second weight.
void masked(const float* from, const std::uint8_t* keep, std::int64_t size, float* to, float beta) {
  const auto chosen = [](float value, std::uint8_t kept) { return kept != 0 ? value : 0.0f; };
  parallel_tiles(size, kTile, [&](std::int64_t begin, std::int64_t end) {
    if (beta == 0) {
#pragma omp simd
      for (std::int64_t i = begin; i < end; ++i) to[i] = chosen(from[i], keep[i]);
    } else {
#pragma omp simd
      for (std::int64_t i = begin; i < end; ++i) to[i] += chosen(from[i], keep[i]);
    }
  });
}

}  // namespace

Variable Mask::apply(const Variable& value, const Pass&) {
  const Tensor& x = value.value();
  PARE_ENSURE(x.size() == static_cast<std::int64_t>(keep_.size()));
  Tensor y(x.shape());
  masked(x.data(), keep_.data(), x.size(), y.mutable_data(), 0.0f);
  return record("mask", std::move(y), {value}, [this](const Tensor& dy, Gradients& gradients) {
    if (!mask_gradient_) return gradients.give(0, dy);
    const GradientSlot dx = gradients.slot(0);
    masked(dy.data(), keep_.data(), dy.size(), dx.data, dx.beta);
  });
}

nlohmann::ordered_json Mask::to_json() const { return {{"mask_gradient", mask_gradient_}}; }

std::int64_t Mask::pruned() const { return std::count(keep_.begin(), keep_.end(), 0); }

}  // namespace pare
