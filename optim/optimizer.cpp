#include "optim/optimizer.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/tensor/step_vector.h"

namespace pare {
namespace {

// Euclidean norm of all gradients: double sums per tile, added in the order of tiles and
// parameters.
double norm(std::span<const Tensor> gradients) {
  double sum = 0;
  StepVector<double> partial;
  for (const Tensor& gradient : gradients) {
    if (!gradient.defined()) continue;
    partial.assign(static_cast<std::size_t>((gradient.size() + kUpdateTile - 1) / kUpdateTile), 0);
    const float* g = gradient.data();
    parallel_tiles(gradient.size(), kUpdateTile, [&](std::int64_t begin, std::int64_t end) {
      double square = 0;
      for (std::int64_t k = begin; k < end; ++k) square += static_cast<double>(g[k]) * g[k];
      partial[static_cast<std::size_t>(begin / kUpdateTile)] = square;
    });
    for (const double square : partial) sum += square;
  }
  return std::sqrt(sum);
}

// factor * gradient + lambda * w_c / ||w_c|| for every output channel c (0 where its norm is 0):
// Wen et al. 2016, "Learning structured sparsity in deep neural networks", eq. 3, without a factor
// for the size of a group.
Tensor with_group_lasso(const Tensor& gradient, const Parameter& parameter, double factor,
                        double lambda) {
  const Shape& shape = parameter.shape();
  const std::int64_t channels = parameter.channels();
  const std::int64_t inner = shape.size_from(parameter.channel_axis() + 1);
  Tensor result(shape);
  const float* g = gradient.data();
  const float* w = parameter.latent().data();
  float* to = result.mutable_data();
  const auto scale = static_cast<float>(factor);
  parallel_for(channels, [&](std::int64_t c) {
    const auto each = [&](const auto& visit) {
      for (std::int64_t first = c * inner; first < shape.size(); first += channels * inner) {
        for (std::int64_t k = first; k < first + inner; ++k) visit(k);
      }
    };
    double square = 0;
    each([&](std::int64_t k) { square += static_cast<double>(w[k]) * w[k]; });
    const auto pull = static_cast<float>(square > 0 ? lambda / std::sqrt(square) : 0);
    each([&](std::int64_t k) { to[k] = scale * g[k] + pull * w[k]; });
  });
  return result;
}

}  // namespace

Optimizer::Optimizer(std::vector<Parameter*> parameters, const Regularization& regularization)
    : parameters_(std::move(parameters)), regularization_(regularization) {}

bool Optimizer::regularizes(const Parameter& parameter) const {
  return (parameter.decays() || regularization_.decay_all) && !parameter.own_weight_decay;
}

Update Optimizer::update_of(const Parameter& parameter, double learning_rate, double factor) const {
  const bool regularized = regularizes(parameter);
  const double decay =
      parameter.own_weight_decay.value_or(regularized ? regularization_.weight_decay : 0);
  return {.learning_rate = static_cast<float>(learning_rate * parameter.learning_rate_factor),
          .factor = static_cast<float>(factor),
          .decay = static_cast<float>(decay),
          .l1 = static_cast<float>(regularized ? regularization_.l1 : 0)};
}

void Optimizer::step(double learning_rate) {
  StepVector<Tensor> gradients;
  gradients.reserve(parameters_.size());
  for (Parameter* parameter : parameters_) {
    gradients.push_back(parameter->frozen() ? Tensor() : parameter->grad());
    parameter
        ->release();  // the graph lets go of the latent value; the gradient lives in our handle
  }
  double factor = 1;
  if (regularization_.clip_norm) {
    const double length = norm(gradients);
    if (length > *regularization_.clip_norm) factor = *regularization_.clip_norm / length;
  }
  begin_step();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!gradients[i].defined()) continue;
    const bool in_groups = regularization_.group_lasso > 0 && regularizes(*parameters_[i]);
    if (in_groups) {
      gradients[i] =
          with_group_lasso(gradients[i], *parameters_[i], factor, regularization_.group_lasso);
    }
    update(i, gradients[i], update_of(*parameters_[i], learning_rate, in_groups ? 1 : factor));
    gradients[i] = Tensor();  // its memory is free for the next step's
  }
}

std::size_t Optimizer::index_of(const Parameter& parameter) const {
  const auto found = std::find(parameters_.begin(), parameters_.end(), &parameter);
  PARE_ENSURE(found != parameters_.end());
  return static_cast<std::size_t>(found - parameters_.begin());
}

}  // namespace pare
