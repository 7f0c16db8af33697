#include "apps/lib/phase_optimizer.h"

namespace pare {
namespace {

std::vector<Parameter*> all_parameters(const Network& network) {
  std::vector<Parameter*> parameters;
  network.visit_parameters([&](Parameter& parameter) { parameters.push_back(&parameter); });
  return parameters;
}

}  // namespace

PhaseOptimizer::PhaseOptimizer(const OptimizerConfig& config, Network& network)
    : optimizer_(make_optimizer(config, all_parameters(network))) {
  if (!config.ema) return;
  average_.emplace(*config.ema, [&network](StateVisitor& visitor) {
    network.release();  // writing needs sole ownership
    network.visit_state(visitor);
  });
}

void PhaseOptimizer::step(double learning_rate) {
  optimizer_->step(learning_rate);
  if (average_) average_->update();
}

void PhaseOptimizer::visit_state(StateVisitor& visitor) {
  optimizer_->visit_state(visitor);
  if (average_) average_->visit_state(visitor);
}

void PhaseOptimizer::exchange() {
  if (average_) average_->swap();
}

}  // namespace pare
