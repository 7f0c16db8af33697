#include "compression/prune/effect.h"

#include <algorithm>
#include <string_view>

namespace pare {

bool is_normalised(const Network& network, const std::string& node) {
  const std::vector<std::string> readers = network.readers(node);
  return !readers.empty() &&
         std::all_of(readers.begin(), readers.end(), [&](const std::string& reader) {
           const std::string_view kind = network.node(reader).module->kind();
           const bool mixes = kind == "conv2d" || kind == "dense" || kind == "add";
           return kind == "batch_norm" || (!mixes && is_normalised(network, reader));
         });
}

std::vector<float> first_order_effects(const PruneTarget& target) {
  std::vector<double> sums(static_cast<std::size_t>(target.groups));
  for (const PrunePart& part : target.parts) {
    const Tensor& gradient = part.parameter->value_grad();
    if (!part.in_effect || !gradient.defined()) continue;
    const float *g = gradient.data(), *w = part.parameter->latent().data();
    for (std::int64_t i = 0; i < gradient.size(); ++i) {
      sums[static_cast<std::size_t>(part.group_of(i))] +=
          static_cast<double>(g[i]) * static_cast<double>(w[i]);
    }
  }
  return {sums.begin(), sums.end()};
}

}  // namespace pare
