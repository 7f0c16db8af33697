#include "optim/rmsprop.h"

#include <cmath>

#include "framework/base/parallel.h"
#include "optim/gradient.h"

namespace pare {

Rmsprop::Rmsprop(std::vector<Parameter*> parameters, const RmspropOptions& options,
                 const Regularization& regularization)
    : Optimizer(std::move(parameters), regularization),
      options_(options),
      second_("second", this->parameters()) {}

void Rmsprop::update(std::size_t i, const Tensor& gradient, const Update& update) {
  const Update u = update;
  const auto beta2 = static_cast<float>(options_.beta2);
  const auto rest2 = static_cast<float>(1 - options_.beta2);
  const auto epsilon = static_cast<float>(options_.epsilon);
  float* w = parameters()[i]->latent().mutable_data();
  float* v = second_[i].mutable_data();
  const float* g = gradient.data();
  parallel_tiles(gradient.size(), kUpdateTile, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      const float d = total_gradient(g[k], w[k], u) + u.decay * w[k];
      v[k] = beta2 * v[k] + rest2 * (d * d);
      w[k] -= u.learning_rate * d / (std::sqrt(v[k]) + epsilon);
    }
  });
}

void Rmsprop::visit_moments(const Parameter& parameter, const std::function<void(Tensor&)>& visit) {
  visit(second_[index_of(parameter)]);
}

void Rmsprop::visit_state(StateVisitor& visitor) { second_.visit_state(parameters(), visitor); }

}  // namespace pare
