#include "compression/prune/ranked.h"

#include <fmt/format.h>

#include "compression/quantize/weight_quantizer.h"
#include "framework/base/error.h"

namespace pare {
namespace {

const WeightQuantizer* quantizer_of(const PruneTarget& target) {
  return dynamic_cast<const WeightQuantizer*>(target.parameter->find(kWeightQuantizer));
}

// The quantizer, with the present weights observed as their next use would observe them.
const Quantizer& present_quantizer(const PruneTarget& target) {
  const NoGradient no_gradient;
  target.parameter->value(Pass::begin(Pass::Mode::evaluate, 0, 0));
  target.parameter->release();
  return quantizer_of(target)->quantizer();
}

}  // namespace

void require_rankable(const PruneTarget& target, Ranked ranked) {
  if (ranked == Ranked::latent || quantizer_of(target)) return;
  throw ConfigError(fmt::format(
      "score: expected a quantizer on '{}', whose codes are to be ranked; apply a method of kind "
      "quantize before (in an earlier phase, or further to the front of 'apply')",
      target.parameter->path()));
}

Tensor ranked_tensor(const PruneTarget& target, Ranked ranked) {
  const Tensor& latent = target.parameter->latent();
  if (ranked == Ranked::latent) return latent;
  const Quantizer& quantizer = present_quantizer(target);
  const Grid grid = quantizer.grid();
  const int axis = grid.channels() == 1 ? -1 : target.parameter->channel_axis();
  const GridCodes codes = quantizer.codes(latent);
  const ChannelView view = channel_view(latent.shape(), axis);
  Tensor result = Tensor::persistent(latent.shape());
  float* to = result.mutable_data();
  for (std::int64_t k = 0; k < latent.size(); ++k) {
    const auto c = static_cast<std::size_t>(k / view.inner % view.channels);
    const float scale = ranked == Ranked::int_code ? 1.0f : grid.scales[c];
    to[k] = to_real(codes[static_cast<std::size_t>(k)], grid.zero_points[c], scale);
  }
  return result;
}

}  // namespace pare
