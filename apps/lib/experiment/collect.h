// What the runs of a plan have found so far, read from their folders, and results.csv and
// timing.csv made of it. Nothing here depends on the order in which runs ended: the files of an
// interrupted experiment are those of an uninterrupted one.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/lib/experiment/experiment_folder.h"
#include "apps/lib/experiment/plan.h"

namespace pare {

// One entry per run of the plan.
struct Collected {
  std::vector<std::optional<config::Json>> results;  // result.json of the finished ones
  std::vector<std::optional<Failure>> failures;      // of those that are not

  std::size_t finished() const;
  std::size_t failed() const;
};

Collected collect(const Plan& plan, const ExperimentFolder& folder);

// One row a run and cell: run, the axes in order, seed, the run of plain training with its budget
// (in dense.csv; "" where there is none), the data set that it was trained on, the figures.
// Unfinished runs have no row.
std::string results_csv(const Plan& plan, const Collected& collected);
// The same rows with what differs every time: seconds, latency_us.
std::string timing_csv(const Plan& plan, const Collected& collected);

// The rows of plain training with the same budget: run, the number of updates' epochs, seed,
// figures.
std::string dense_csv(const Plan& plan, const Collected& collected);

// A field of a CSV file, quoted where it has to be (RFC 4180).
std::string csv_field(const std::string& text);

}  // namespace pare
