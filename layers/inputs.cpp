#include "layers/inputs.h"

#include <string>

#include "framework/base/error.h"

namespace pare {

const Shape& one_input(std::span<const Shape> inputs) {
  if (inputs.size() != 1) {
    throw ConfigError("expected one input, got " + std::to_string(inputs.size()));
  }
  return inputs[0];
}

const Shape& vector_input(std::span<const Shape> inputs) {
  const Shape& input = one_input(inputs);
  if (input.rank() != 2) {
    throw ConfigError("expected an input [batch, features], got " + input.to_string() +
                      "; put a flatten or a global_avg_pool2d and a flatten before it");
  }
  return input;
}

const Shape& image_input(std::span<const Shape> inputs) {
  const Shape& input = one_input(inputs);
  if (input.rank() != 4) {
    throw ConfigError("expected an input [batch, height, width, channels], got " +
                      input.to_string() + "; put it before the flatten");
  }
  return input;
}

}  // namespace pare
