#include "apps/lib/diverged.h"

#include <atomic>
#include <bit>
#include <cstdint>

#include "framework/base/parallel.h"

namespace pare {
namespace {

constexpr std::int64_t kTile = 1 << 16;
constexpr std::uint32_t kExponent = 0x7f800000;  // all ones: NaN or infinity

}  // namespace

bool all_finite(const Tensor& tensor) {
  const float* values = tensor.data();
  std::atomic<bool> finite = true;
  parallel_tiles(tensor.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
    std::uint32_t bad = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      bad |= (std::bit_cast<std::uint32_t>(values[i]) & kExponent) == kExponent;
    }
    if (bad) finite = false;
  });
  return finite;
}

std::string first_bad_output(Network& network, const Batch& batch, std::uint64_t seed,
                             std::uint64_t step) {
  const NoGradient no_gradient;
  std::string first;
  network.forward(Variable(batch.images), Pass::begin(Pass::Mode::train, seed, step),
                  [&](const std::string& node, const Variable& value) {
                    if (first.empty() && !all_finite(value.value())) first = node;
                  });
  return first.empty() ? "the loss itself" : "the output of node '" + first + "'";
}

std::string first_bad_gradient(const Network& network) {
  std::string nearest;
  network.visit_parameters([&](Parameter& parameter) {
    if (parameter.grad().defined() && !all_finite(parameter.grad())) nearest = parameter.path();
  });
  return nearest;
}

}  // namespace pare
