// All runs of an experiment are on one data set. A single run may fall back to another where its
// own is missing (`dataset.fallback`); a table of both would compare what cannot be compared.
#pragma once

#include <string>
#include <vector>

#include "apps/lib/experiment/collect.h"

namespace pare {

// `runs`: those of the plan that are to be trained; `data_dir` from --data-dir. Smoke runs, whose
// numbers mean nothing, may fall back. Throws DataNotFound where the files of a run that is to be
// trained are nowhere, FailedError where a finished one was trained on its fallback.
void require_same_data(const Plan& plan, const Collected& collected,
                       const std::vector<std::size_t>& runs, const ExperimentFolder& folder,
                       const std::string& data_dir);

}  // namespace pare
