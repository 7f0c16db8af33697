#include "compression/prune/ranked.h"

#include <fmt/format.h>

#include "compression/quantize/weight_quantizer.h"
#include "framework/base/error.h"

namespace pare {
namespace {

const WeightQuantizer* quantizer_of(const Parameter& weight) {
  return dynamic_cast<const WeightQuantizer*>(weight.find(kWeightQuantizer));
}

// The quantizer, with the present weights observed as their next use would observe them.
const Quantizer& present_quantizer(Parameter& weight) {
  const NoGradient no_gradient;
  weight.value(Pass::begin(Pass::Mode::evaluate, 0, 0));
  weight.release();
  return quantizer_of(weight)->quantizer();
}

}  // namespace

void require_rankable(const Parameter& weight, Ranked ranked) {
  if (ranked == Ranked::latent || quantizer_of(weight)) return;
  throw ConfigError(fmt::format(
      "score: expected a quantizer on '{}', whose codes are to be ranked; apply a method of kind "
      "quantize before (in an earlier phase, or further to the front of 'apply')",
      weight.path()));
}

Tensor ranked_tensor(Parameter& weight, Ranked ranked) {
  const Tensor& latent = weight.latent();
  if (ranked == Ranked::latent) return latent;
  const Quantizer& quantizer = present_quantizer(weight);
  const Grid grid = quantizer.grid();
  const int axis = grid.channels() == 1 ? -1 : weight.channel_axis();
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
