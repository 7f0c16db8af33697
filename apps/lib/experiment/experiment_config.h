// ExperimentConfig: one question as a JSON file. A base config, axes along which it is changed, the
// cells to leave out, and the seeds. It says nothing of how runs are started or shown; grid.h makes
// cells of it, plan.h makes runs of those.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/config/value.h"

namespace pare {

// A key of the base config and what it becomes.
struct Change {
  std::string path;
  config::Value value;  // knows where it was written
};

// Holds where everything that it names has one of the values given: an axis at one of its points,
// or a path of the cell's config.
struct Condition {
  struct Test {
    std::string what;
    std::vector<config::Json> values;
  };
  std::vector<Test> tests;
  config::Value written;  // for messages
};

struct AxisPoint {
  std::string label;   // how tables call it
  config::Json value;  // what `exclude` compares with: the value, or the label of a labelled set
  std::vector<Change> changes;
  std::string base = {};  // the config that is changed, where it is not the experiment's
  std::optional<Condition> where = {};  // cells that have this point, where not all have it
};

// A config path with values, or a name with labelled sets of changes; "base", with the configs
// themselves, where an experiment has several.
struct Axis {
  std::string name;
  std::vector<AxisPoint> points = {};
};

struct MoreSeeds {
  Condition where;
  std::vector<std::uint64_t> seeds;

  void describe(config::Object& o);
};

// Two points of some axes: cells that agree in every other axis are compared, run by run.
struct Contrast {
  std::string name;  // "": made of the two points
  Condition a, b;    // of the same axes, one point each

  void describe(config::Object& o);
};

// Whether one contrast's size follows another's, over the cells.
struct Correlation {
  std::string name;
  Contrast x, y;

  void describe(config::Object& o);
};

// A column of published numbers beside ours.
struct Published {
  std::string source;  // the column's title
  // Per row of the table: which cells, and the number (a fraction, as in results.csv).
  struct Value {
    Condition where;
    double value = 0;
    void describe(config::Object& o);
  };
  std::vector<Value> values;

  void describe(config::Object& o);
};

struct ExperimentReport {
  std::vector<std::string> figures = {"accuracy.integer", "accuracy.float", "sparsity",
                                      "bytes.model"};
  std::vector<Contrast> compare;
  std::vector<Correlation> correlate;
  double margin = 0.001;      // differences within it count as none (TOST), a fraction
  bool dense = true;          // a row of plain training with the same budget
  std::string note;           // what a reader of the tables has to know
  std::optional<Published> published;

  void describe(config::Object& o);
};

// Which beginnings are trained once for all runs that have them.
enum class Sharing { none, dense, phases };

struct ExperimentConfig {
  std::string name;  // default: the stem of the file
  std::vector<std::string> bases;  // as find_config() takes them; several make the axis "base"
  std::vector<Change> set;
  std::vector<Axis> axes;
  std::vector<Condition> exclude;
  std::vector<std::uint64_t> seeds = {1, 2, 3, 4, 5};
  std::vector<MoreSeeds> more_seeds;
  Sharing share = Sharing::none;
  bool keep_checkpoints = true;
  ExperimentReport report;

  void describe(config::Object& o);
};

// Looked for as find_config() does, then in configs/experiments. Throws ConfigError.
ExperimentConfig load_experiment_config(const std::string& path);

}  // namespace pare
