// Rows of what compression adds to a training step: fake-quantizers, observers, masks.
#include <memory>

#include "apps/bench/op_rows.h"
#include "compression/prune/mask.h"
#include "compression/quantize/quantizer.h"
#include "framework/random.h"

namespace pare::bench {
namespace {

Pass training_pass() { return Pass::begin(Pass::Mode::train, 1, 0); }

// 8 bits: symmetric per channel of the first axis, or affine with one grid.
std::unique_ptr<Quantizer> make_quantizer_for(const std::string& name, const Shape& shape,
                                              bool channels) {
  QuantizerConfig config;
  config.quantizer = name;
  if (channels) {
    return make_quantizer(config, QuantizerPlace::Use::weights, "bench", shape, 0);
  }
  config.scheme = Scheme::affine;
  config.granularity = Granularity::per_tensor;
  return make_quantizer(config, QuantizerPlace::Use::activations, "bench", shape, -1);
}

// Nine tenths of the values: some of every tile are clamped, so that the backward pass has work.
Tensor narrowed(const Tensor& x) {
  Tensor y = x.clone();
  float* values = y.mutable_data();
  for (std::int64_t i = 0; i < y.size(); ++i) values[i] *= 0.9f;
  return y;
}

std::string name_of(const std::string& kind, const Shape& shape, bool channels) {
  return kind + ", " + text(shape) + (channels ? " per channel" : "");
}

// The gradients of what the quantizer learns.
std::vector<Tensor> learned_gradients(Quantizer& quantizer) {
  std::vector<Tensor> all;
  quantizer.visit_parameters([&](Parameter& p) { all.push_back(p.grad()); });
  return all;
}

}  // namespace

Rows fake_quant_rows(const std::string& quantizer, const Shape& shape, bool channels) {
  const bool learns = quantizer_row(quantizer).learns;
  const std::int64_t grids = channels ? shape[0] : 1;
  const auto make = [=](const std::vector<Tensor>& inputs) -> OpInstance {
    const std::shared_ptr<Quantizer> q = make_quantizer_for(quantizer, shape, channels);
    q->observe(narrowed(inputs[0]), training_pass());
    return {
        .op = [q](const std::vector<Variable>& x) { return q->quantize(x[0], training_pass()); },
        .also_written = [q] { return learned_gradients(*q); }};
  };
  const OpKernel kernel{.name = name_of("fake-quant " + quantizer, shape, channels),
                        .inputs = {shape},
                        .output = shape,
                        .make = make,
                        .keeps = {0},
                        .keeps_output = learns,
                        .also_written_bytes = learns ? 4.0 * static_cast<double>(grids) : 0.0};
  return {forward_row(kernel), backward_row(kernel)};
}

Rows observer_rows(const Shape& shape, bool channels) {
  const std::int64_t grids = channels ? shape[0] : 1;
  const double bytes =
      4.0 * static_cast<double>(shape.size()) + sizeof(Range) * static_cast<double>(grids);
  return {{name_of("observer min_max", shape, channels), Bound::memory, 0, bytes, [=] {
             const std::shared_ptr<Observer> observer = make_observer({.kind = "min_max"});
             const Tensor x = random_tensor(shape);
             return KernelCall{
                 .call = [=] { observer->observe(x, channels ? 0 : -1, training_pass()); },
                 .reads = [=] { return std::vector<Bytes>{bytes_of(x)}; },
                 .written = [=] { return std::vector<Bytes>{std::as_bytes(observer->ranges())}; }};
           }}};
}

// Half of the weights are pruned and get no gradient.
Rows mask_rows(const Shape& shape) {
  const auto make = [shape](const std::vector<Tensor>&) -> OpInstance {
    const auto mask = std::make_shared<Mask>(shape.size(), true);
    Random random(1, Stream::test);
    for (std::uint8_t& keep : mask->keep()) keep = random.uniform() < 0.5f ? 1 : 0;
    return {
        .op = [mask](const std::vector<Variable>& x) { return mask->apply(x[0], training_pass()); },
        .also_reads = {std::as_bytes(std::span(mask->keep()))}};
  };
  const OpKernel kernel{.name = "mask, " + text(shape),
                        .inputs = {shape},
                        .output = shape,
                        .make = make,
                        .also_read_bytes = static_cast<double>(shape.size())};
  return {forward_row(kernel), backward_row(kernel)};
}

}  // namespace pare::bench
