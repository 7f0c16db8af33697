#include "layers/activation.h"

#include <algorithm>

#include "framework/base/error.h"
#include "layers/inputs.h"

namespace pare {

std::span<const ActivationKind> activation_kinds() {
  static constexpr ActivationKind kinds[] = {
      {"relu", relu}, {"relu6", relu6}, {"sigmoid", sigmoid}, {"tanh", tanh}, {"softmax", softmax}};
  return kinds;
}

std::unique_ptr<Module> make_activation(std::string_view kind) {
  const auto kinds = activation_kinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [&](const ActivationKind& row) { return row.name == kind; });
  PARE_ENSURE(found != kinds.end());
  return std::make_unique<Activation>(found->name, found->function);
}

Shape Activation::build(std::span<const Shape> inputs) { return one_input(inputs); }

Variable Activation::forward(std::span<const Variable> inputs, const Pass&) {
  return function_(inputs[0]);
}

}  // namespace pare
