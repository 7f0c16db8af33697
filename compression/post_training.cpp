#include "compression/post_training.h"

#include "compression/attach.h"
#include "compression/quantize/weight_quantizer.h"

namespace pare {
namespace {

std::vector<Parameter*> weights_without_grid(const Network& network) {
  std::vector<Parameter*> missing;
  for (Parameter* weight : select_weights(network, {})) {
    if (!weight->find(kWeightQuantizer)) missing.push_back(weight);
  }
  return missing;
}

}  // namespace

bool has_all_grids(const Network& network) {
  return has_activation_quantizers(network) && weights_without_grid(network).empty();
}

void quantize_after_training(Network& network, const std::function<void(const Pass&)>& calibrate) {
  attach_weight_quantizers(weights_without_grid(network), Composition::mask_then_quantize,
                           WeightQuantizerConfig());
  if (has_activation_quantizers(network)) return;
  attach_activation_quantizers(network, ActivationQuantizerConfig());
  const NoGradient no_gradient;
  calibrate(Pass::begin(Pass::Mode::calibrate, 0, 0));
}

}  // namespace pare
