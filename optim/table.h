// The `optimizer` of a config, and the table of kinds that it chooses from.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/config/forward.h"
#include "framework/schedule.h"
#include "optim/adam.h"
#include "optim/rmsprop.h"
#include "optim/sgd.h"

namespace pare {

struct OptimizerConfig {
  std::string kind = "adam";
  Schedule learning_rate = Schedule::constant(0.001);
  Regularization regularization;
  std::optional<double> ema;  // decay of the weights' average (average.h)
  AdamOptions adam;           // of adam and adamw
  SgdOptions sgd;
  RmspropOptions rmsprop;

  // Only the keys of the chosen kind are legal.
  void describe(config::Object& o);
};

std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config,
                                          std::vector<Parameter*> parameters);

}  // namespace pare
