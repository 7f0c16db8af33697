// A whole training run: config, data, folder, phases, integers, results.
#pragma once

#include "apps/lib/train_options.h"

namespace pare {

// Throws an Error, or Stopped (trainer.h) after a signal, having said how to go on.
void train_run(const TrainOptions& options, Console& console);

}  // namespace pare
