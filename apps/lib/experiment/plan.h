// The plan of an experiment: which runs there are, each once, and which run every row of the tables
// shows. A run is known by the hash of its resolved config; two cells that resolve to the same
// config share one.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/lib/experiment/grid.h"
#include "apps/lib/run_config.h"

namespace pare {

struct PlannedRun {
  std::string hash;                           // names its folder
  config::Json config;                        // resolved; its name is the hash
  double all_epochs = 0;                      // with those of the beginnings that it goes on from
  double epochs = 0;                          // that this run trains itself, for estimates of time
  std::optional<std::size_t> beginning = {};  // of Plan::beginnings, where it branches from one
};

// One row of results.csv: a cell with a seed.
struct PlannedRow {
  std::size_t cell;
  std::uint64_t seed;
  std::size_t run;
  std::optional<std::size_t> dense = {};  // the run of plain training with its budget
};

// "dense, same total budget": plain training for as many updates as a cell's. Cells of equal
// budgets share it.
struct DenseRow {
  std::vector<std::uint64_t> seeds;
  std::vector<std::size_t> runs;   // of each seed
  std::vector<std::size_t> cells;  // whose budget it has
  bool is_cell = false;            // all its runs are those of cells already
};

struct Plan {
  ExperimentConfig experiment;
  bool smoke = false;
  std::vector<Cell> cells;
  std::vector<PlannedRow> rows;  // cell by cell
  std::vector<PlannedRun> runs;  // seed by seed: an early stop leaves whole tables of few seeds
  std::vector<PlannedRun> beginnings;  // what runs share; some of them branch from others
  std::vector<DenseRow> dense;
};

// The beginnings that a run goes on from, the first one first.
std::vector<std::size_t> beginnings_of(const Plan& plan, const PlannedRun& run);

// Everything that the outcome of a run depends on: no name, no methods that no phase applies, and
// nothing that only reports.
std::string run_hash(const RunConfig& run, bool smoke);

// The same updates without any compression: calibrations fall away, phases that continue join the
// one before.
RunConfig dense_counterpart(const RunConfig& run);

// Throws ConfigError, with the cell where it is a cell's config that cannot be read.
Plan make_plan(ExperimentConfig experiment, std::span<const std::string> sets, bool smoke);

}  // namespace pare
