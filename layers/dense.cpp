#include "layers/dense.h"

#include "framework/base/error.h"
#include "framework/config/config.h"
#include "layers/inputs.h"

namespace pare {

void DenseOptions::describe(config::Object& o) {
  o.require("units");
  o.integer("units", units, {.min = 1, .max = kLargestExtent}, "outputs");
  o.boolean("bias", bias, "adds a bias; null: unless a batch_norm follows directly");
  describe_init(o, init);
}

Dense::Dense(const DenseOptions& options) : Weighted(options.init), options_(options) {
  PARE_ENSURE(options.units >= 1);
  options_.bias = options.bias.value_or(true);
}

Shape Dense::build(std::span<const Shape> inputs) {
  const Shape& x = vector_input(inputs);
  const std::int64_t in = x[1];
  allocate({options_.units, in}, 0, *options_.bias, {.in = in, .out = options_.units});
  return {x[0], options_.units};
}

Variable Dense::forward(std::span<const Variable> inputs, const Pass& pass) {
  return dense(inputs[0], weight().value(pass), bias_value(pass));
}

nlohmann::ordered_json Dense::to_json() const { return config::write(options_); }

}  // namespace pare
