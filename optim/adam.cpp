#include "optim/adam.h"

#include <cmath>

#include "framework/base/parallel.h"
#include "optim/gradient.h"

namespace pare {

Adam::Adam(std::vector<Parameter*> parameters, const AdamOptions& options, Decay decay,
           const Regularization& regularization)
    : Optimizer(std::move(parameters), regularization),
      options_(options),
      decay_(decay),
      first_("first", this->parameters()),
      second_("second", this->parameters()) {}

void Adam::update(std::size_t i, const Tensor& gradient, const Update& update) {
  const Update u = update;
  const auto t = static_cast<double>(step_);
  const auto beta1 = static_cast<float>(options_.beta1);
  const auto beta2 = static_cast<float>(options_.beta2);
  const auto rest1 = static_cast<float>(1 - options_.beta1);
  const auto rest2 = static_cast<float>(1 - options_.beta2);
  const auto epsilon = static_cast<float>(options_.epsilon);
  // sqrt(v / (1 - beta2^t)) = sqrt(v) * root
  const auto root = static_cast<float>(1 / std::sqrt(1 - std::pow(options_.beta2, t)));
  const auto rate =
      static_cast<float>(static_cast<double>(u.learning_rate) / (1 - std::pow(options_.beta1, t)));
  const float coupled = decay_ == Decay::coupled ? u.decay : 0.0f;
  const float keep = decay_ == Decay::decoupled ? 1 - u.learning_rate * u.decay : 1.0f;

  float* w = parameters()[i]->latent().mutable_data();
  float* m = first_[i].mutable_data();
  float* v = second_[i].mutable_data();
  const float* g = gradient.data();
  parallel_tiles(gradient.size(), kUpdateTile, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      const float d = total_gradient(g[k], w[k], u) + coupled * w[k];
      m[k] = beta1 * m[k] + rest1 * d;
      v[k] = beta2 * v[k] + rest2 * (d * d);
      w[k] = keep * w[k] - rate * m[k] / (std::sqrt(v[k]) * root + epsilon);
    }
  });
}

void Adam::visit_moments(const Parameter& parameter, const std::function<void(Tensor&)>& visit) {
  const std::size_t i = index_of(parameter);
  visit(first_[i]);
  visit(second_[i]);
}

void Adam::visit_state(StateVisitor& visitor) {
  visitor.integer("optimizer/step", step_);
  first_.visit_state(parameters(), visitor);
  second_.visit_state(parameters(), visitor);
}

}  // namespace pare
