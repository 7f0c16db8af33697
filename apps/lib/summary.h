// The end of a run for people: accuracies, zeros, bytes, multiply-accumulates, time, and what to do
// next. Also the plan of a run before it.
#pragma once

#include <string>

#include "apps/lib/run_config.h"
#include "datasets/dataset.h"
#include "framework/config/value.h"
#include "layers/network.h"

namespace pare {

// `result`: the document of result.h. `folder`: of the run. `data_dir` as on the command line.
std::string summary(const config::Json& result, const std::string& folder,
                    const std::string& data_dir);

// "mnist_qat_prune: 55,000 images of mnist ($PARE_DATA/mnist), 431,594 parameters, 5,577 updates"
std::string headline(const RunConfig& run, const Dataset& dataset);

// --plan: data, network, and a line per phase.
std::string plan(const RunConfig& run, const Dataset& dataset);

}  // namespace pare
