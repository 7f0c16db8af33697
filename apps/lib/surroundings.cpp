#include "apps/lib/surroundings.h"

#include "apps/lib/evaluate.h"
#include "compression/lower/shrink_check.h"

namespace pare {
namespace {

constexpr std::int64_t kImages = 256;

}  // namespace

Surroundings surroundings_of(const RunConfig& run, const Dataset& dataset,
                             std::function<void(const std::string&)> say) {
  Surroundings surroundings;
  surroundings.shrunk_difference = [&](Network& network, const KeptUnits& kept) {
    const Tensor images =
        calibration_images(dataset.train, pixel_values(dataset), run.seed, kImages);
    return shrunk_difference(network, kept, images, run.requantization.rounding);
  };
  surroundings.say = std::move(say);
  return surroundings;
}

}  // namespace pare
