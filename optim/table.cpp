#include "optim/table.h"

#include <algorithm>
#include <iterator>

#include "framework/base/error.h"
#include "framework/config/object.h"

namespace pare {
namespace {

using Parameters = std::vector<Parameter*>;

void describe_adam(OptimizerConfig& c, config::Object& o) {
  o.real("beta1", c.adam.beta1, {.min = 0, .below = 1}, "decay of the mean gradient");
  o.real("beta2", c.adam.beta2, {.min = 0, .below = 1}, "decay of the mean squared gradient");
  o.real("epsilon", c.adam.epsilon, {.max = 1, .above = 0}, "added to the root");
}

void describe_sgd(OptimizerConfig& c, config::Object& o) {
  o.real("momentum", c.sgd.momentum, {.min = 0, .below = 1}, "share of the last step");
  o.boolean("nesterov", c.sgd.nesterov, "looks ahead along the momentum");
  if (c.sgd.nesterov && c.sgd.momentum == 0)
    o.fail("nesterov", "expected a momentum above 0 with it");
}

void describe_rmsprop(OptimizerConfig& c, config::Object& o) {
  o.real("beta2", c.rmsprop.beta2, {.min = 0, .below = 1}, "decay of the mean squared gradient");
  o.real("epsilon", c.rmsprop.epsilon, {.max = 1, .above = 0}, "added to the root");
}

template <Decay decay>
std::unique_ptr<Optimizer> make_adam(const OptimizerConfig& c, Parameters parameters) {
  return std::make_unique<Adam>(std::move(parameters), c.adam, decay, c.regularization);
}

std::unique_ptr<Optimizer> make_sgd(const OptimizerConfig& c, Parameters parameters) {
  return std::make_unique<Sgd>(std::move(parameters), c.sgd, c.regularization);
}

std::unique_ptr<Optimizer> make_rmsprop(const OptimizerConfig& c, Parameters parameters) {
  return std::make_unique<Rmsprop>(std::move(parameters), c.rmsprop, c.regularization);
}

struct Row {
  const char* name;
  void (*describe)(OptimizerConfig&, config::Object&);
  std::unique_ptr<Optimizer> (*make)(const OptimizerConfig&, Parameters);
};

constexpr Row kRows[] = {
    {"adam", describe_adam, make_adam<Decay::coupled>},
    {"adamw", describe_adam, make_adam<Decay::decoupled>},
    {"sgd", describe_sgd, make_sgd},
    {"rmsprop", describe_rmsprop, make_rmsprop},
};

}  // namespace

void OptimizerConfig::describe(config::Object& o) {
  std::vector<config::Alternative> alternatives;
  for (const Row& row : kRows) {
    alternatives.push_back(
        {row.name, [this, &row](config::Object& inner) { row.describe(*this, inner); }});
  }
  o.alternatives("kind", kind, alternatives, "update rule");
  o.field("learning_rate", learning_rate, schedule_type(ScheduleUse::learning_rate), "step size");
  Regularization& r = regularization;
  o.real("weight_decay", r.weight_decay, {.min = 0}, "spares biases and batch norm");
  o.boolean("decay_all", r.decay_all, "decays biases and batch norm too");
  o.real("l1", r.l1, {.min = 0}, "lambda of the sum of |w|, on what decays");
  o.real("group_lasso", r.group_lasso, {.min = 0},
         "lambda of the sum of every output channel's norm, on what decays");
  o.real("clip_norm", r.clip_norm, {.above = 0}, "largest norm of a step's gradient; null: any");
  o.real("ema", ema, {.above = 0, .below = 1},
         "decay of the average of all weights, which is evaluated and shipped; null: none");
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config, Parameters parameters) {
  const auto row = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& candidate) {
    return candidate.name == config.kind;
  });
  PARE_ENSURE(row != std::end(kRows));
  return row->make(config, std::move(parameters));
}

}  // namespace pare
