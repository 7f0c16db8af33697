// A network in training, on random images that lie in memory: what `bench train` times. A step is
// the trainer's: forward, loss, backward, the check for numbers that are not finite, the update;
// without the assembly of batches, which peers do not do either.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/lib/phase_optimizer.h"
#include "compression/quantize_method.h"
#include "layers/network.h"

namespace pare::bench {

// Throws ConfigError where there is no such network.
void require_network(const std::string& net);

class Training {
 public:
  // `net`: N1 .. N5 (networks.h), as the configs of those names describe them; N2 is trained with
  // Adam, the others with SGD and momentum. `qat`: 8-bit weights per channel, 8-bit activations.
  // `width`: so many times the filters or units of every layer but the last.
  Training(const std::string& net, std::int64_t batch, bool qat, std::int64_t width = 1);
  // Quantized as `quantize` says, in float where there is none; `ema`: the decay of an average of
  // the weights.
  Training(const std::string& net, std::int64_t batch,
           const std::optional<QuantizeConfig>& quantize, std::optional<double> ema,
           std::int64_t width = 1);

  void step();

  // Floating-point operations of the products of a step: those of the forward pass, as many for the
  // weights' gradients, and as many for the inputs' but in layers that see images only.
  double flops() const;

 private:
  Network network_;
  std::int64_t batch_;
  std::unique_ptr<QuantizeMethod> quantize_;
  std::unique_ptr<PhaseOptimizer> optimizer_;
  std::vector<Tensor> images_;
  std::vector<std::vector<std::int32_t>> labels_;
  std::uint64_t step_ = 0;
};

}  // namespace pare::bench
