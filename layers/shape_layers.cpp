#include "layers/shape_layers.h"

#include "framework/base/error.h"
#include "framework/config/config.h"
#include "framework/ops/fused.h"
#include "layers/inputs.h"

namespace pare {

Shape Flatten::build(std::span<const Shape> inputs) {
  const Shape& x = one_input(inputs);
  return {x[0], x.size_from(1)};
}

Variable Flatten::forward(std::span<const Variable> inputs, const Pass&) {
  return flatten(inputs[0]);
}

Shape Add::build(std::span<const Shape> inputs) {
  if (inputs.size() != 2) {
    throw ConfigError("expected two inputs, got " + std::to_string(inputs.size()) +
                      "; name them: \"inputs\": [\"a\", \"b\"]");
  }
  if (inputs[0] != inputs[1]) {
    throw ConfigError("expected two inputs of one shape, got " + inputs[0].to_string() + " and " +
                      inputs[1].to_string());
  }
  return inputs[0];
}

Variable Add::forward(std::span<const Variable> inputs, const Pass&) {
  return add(inputs[0], inputs[1]);
}

Variable Add::forward_with(const Module&, std::span<const Variable> inputs, const Pass&) {
  return add_relu(inputs[0], inputs[1]);
}

void DropoutOptions::describe(config::Object& o) {
  o.real("rate", rate, {.min = 0, .below = 1}, "probability that a value becomes zero");
}

Shape Dropout::build(std::span<const Shape> inputs) { return one_input(inputs); }

Variable Dropout::forward(std::span<const Variable> inputs, const Pass& pass) {
  if (!pass.training() || options_.rate == 0) return inputs[0];
  return dropout(inputs[0], static_cast<float>(options_.rate), pass.seed, pass.step,
                 name_hash(name()));
}

nlohmann::ordered_json Dropout::to_json() const { return config::write(options_); }

}  // namespace pare
