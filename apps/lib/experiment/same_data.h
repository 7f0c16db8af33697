// All runs of an experiment are on one data set. A single run may fall back to another where its
// own is missing (`dataset.fallback`), and two machines may hold different images under one name; a
// table of both would compare what cannot be compared.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/lib/experiment/collect.h"

namespace pare {

// The images of finished runs: runs of one `dataset` and one seed have the same ones.
class SameImages {
 public:
  // Throws FailedError where an earlier run had other images; `folder` names this one. A result
  // that does not say which images it had is not compared.
  void add(const PlannedRun& run, const config::Json& result, const std::string& folder);

 private:
  struct Seen {
    std::string hash, folder;
  };
  std::map<std::string, Seen> seen_;  // by dataset and seed
};

// `runs`: those of the plan that are to be trained; `data_dir` from --data-dir. Smoke runs, whose
// numbers mean nothing, may fall back. Throws DataNotFound where the files of a run that is to be
// trained are nowhere, FailedError where a finished one was trained on its fallback or where two
// had different images.
void require_same_data(const Plan& plan, const Collected& collected,
                       const std::vector<std::size_t>& runs, const ExperimentFolder& folder,
                       const std::string& data_dir);

}  // namespace pare
