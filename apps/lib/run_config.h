// RunConfig: one JSON file as plain structs with defaults (docs and schema come from the same
// describe()). Reading it finds every mistake that can be found without data; plan.h checks the
// rest.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/lib/loss.h"
#include "apps/lib/strategy.h"
#include "compression/integer/arithmetic.h"
#include "compression/method_config.h"
#include "datasets/config.h"
#include "framework/config/forward.h"
#include "layers/model_config.h"
#include "optim/table.h"

namespace pare {

// WHEN. Optimizer and loss begin as the top-level ones; a phase changes single keys.
struct PhaseConfig {
  std::string name;
  std::optional<double> epochs = {};       // or
  std::optional<std::int64_t> steps = {};  // exactly one of the two
  std::vector<std::string> apply = {};     // names from `compression`
  std::vector<std::string> release = {};
  std::vector<std::string> freeze = {};  // patterns over parameter paths
  bool continues = false;  // key "continue": the optimizer of the phase before goes on
  OptimizerConfig optimizer = {};
  LossConfig loss = {};

  void describe(config::Object& o);
  // A phase of 0 epochs: it calibrates instead of training.
  bool calibrates() const { return epochs == 0.0 || steps == std::int64_t{0}; }
};

struct RequantizationConfig {
  integer::Rounding rounding = integer::Rounding::twice;
  void describe(config::Object& o);
};

struct ReportConfig {
  enum class Keep { best, last };
  enum class Integer { post_training, none };
  Keep keep = Keep::best;
  Integer integer = Integer::post_training;  // none: no integer form at all
  bool histograms = true;                    // in report.html and TensorBoard
  std::int64_t images = 20;                  // misclassified ones in report.html, at most
  bool tensorboard = true;                   // write events/
  std::int64_t telemetry = 0;                // updates between two rows of telemetry.jsonl; 0: none
  void describe(config::Object& o);
};

struct RunConfig {
  std::string name;  // default: the stem of the config's file
  std::uint64_t seed = 1;
  DatasetConfig dataset;
  ModelConfig model;
  LossConfig loss;
  OptimizerConfig optimizer;
  std::vector<std::pair<std::string, MethodConfig>> compression;
  Composition composition = Composition::mask_then_quantize;
  std::vector<PhaseConfig> phases = {PhaseConfig{.name = "train", .epochs = 10}};
  std::optional<StrategyConfig> strategy = {};  // where the phases come from one
  RequantizationConfig requantization;
  ReportConfig report;
  std::vector<std::string> remarks = {};  // what reading decided and the user should hear

  void describe(config::Object& o);

  // The method of that name, which must exist.
  const MethodConfig& method(const std::string& method_name) const;
  // The methods that are attached when the run is over, in the order in which they were applied.
  std::vector<std::string> final_methods() const;
  // Why the run ends without an integer form (result.json's integer_refused); "" where it has one.
  std::string integer_refusal() const;
};

inline constexpr const char* kDefaultConfig = "mnist_qat_prune.json";

// Where a config named on the command line lies: as it stands, then in $PARE_HOME/configs, then in
// the configs that came with the source. Throws ConfigError that lists the places.
std::string find_config(const std::string& path);

// A name becomes a folder, and goes into scripts: 1 to 100 letters of ASCII, digits, '_', '-' and
// '.', which it does not begin with.
bool is_folder_name(std::string_view name);
inline constexpr const char* kFolderNames =
    "1 to 100 letters, digits, '_', '-' or '.', which it does not begin with, for it names a "
    "folder";
// The name of what a file describes that gives none: the file's stem, other characters replaced
// by '_'.
std::string default_name(const std::string& file);

// The file with its `--set PATH=VALUE` assignments. Throws ConfigError.
RunConfig load_run_config(const std::string& path, std::span<const std::string> sets = {});

}  // namespace pare
