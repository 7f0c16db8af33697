#include "optim/sgd.h"

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "optim/gradient.h"

namespace pare {

Sgd::Sgd(std::vector<Parameter*> parameters, const SgdOptions& options,
         const Regularization& regularization)
    : Optimizer(std::move(parameters), regularization), options_(options) {
  PARE_ENSURE(!options.nesterov || options.momentum > 0);
  if (options.momentum > 0) velocity_.emplace("momentum", this->parameters());
}

void Sgd::update(std::size_t i, const Tensor& gradient, const Update& update) {
  const Update u = update;
  float* w = parameters()[i]->latent().mutable_data();
  const float* g = gradient.data();
  if (!velocity_) {
    parallel_tiles(gradient.size(), kUpdateTile, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t k = begin; k < end; ++k) {
        w[k] -= u.learning_rate * (total_gradient(g[k], w[k], u) + u.decay * w[k]);
      }
    });
    return;
  }
  float* v = (*velocity_)[i].mutable_data();
  const auto momentum = static_cast<float>(options_.momentum);
  // The step is a * g' + b * v: (0, 1), or (1, momentum) with nesterov.
  const float a = options_.nesterov ? 1.0f : 0.0f;
  const float b = options_.nesterov ? momentum : 1.0f;
  parallel_tiles(gradient.size(), kUpdateTile, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) {
      const float d = total_gradient(g[k], w[k], u) + u.decay * w[k];
      v[k] = momentum * v[k] + d;
      w[k] -= u.learning_rate * (a * d + b * v[k]);
    }
  });
}

void Sgd::visit_moments(const Parameter& parameter, const std::function<void(Tensor&)>& visit) {
  const std::size_t i = index_of(parameter);
  if (velocity_) visit((*velocity_)[i]);
}

void Sgd::visit_state(StateVisitor& visitor) {
  if (velocity_) velocity_->visit_state(parameters(), visitor);
}

}  // namespace pare
