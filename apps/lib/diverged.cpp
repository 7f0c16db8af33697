#include "apps/lib/diverged.h"

#include "framework/kernels/finite.h"

namespace pare {

bool all_finite(const Tensor& tensor) { return all_finite(tensor.data(), tensor.size()); }

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

std::string first_bad_array(const Snapshot& arrays) {
  for (const NamedArray& array : arrays) {
    if (array.type != ElementType::float32) continue;
    const auto count = static_cast<std::int64_t>(array.bytes.size() / sizeof(float));
    if (!all_finite(reinterpret_cast<const float*>(array.bytes.data()), count)) return array.name;
  }
  return "";
}

}  // namespace pare
