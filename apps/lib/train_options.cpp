#include "apps/lib/train_options.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "apps/lib/command_line.h"

namespace pare {
namespace {

constexpr const char* kDescription =
    "Trains the network of a config, compresses it as its phases say, lowers it to integers and "
    "verifies\n"
    "them on every test image. One JSON file in; a run folder with model.pare and result.json out.";

constexpr const char* kFooter = R"(
Examples:
  ./pare train                                      the main job, configs/mnist_qat_prune.json
  ./pare train --smoke                              every step of it, in seconds
  ./pare train --plan                               what would happen
  ./pare train --plan --target flash=64k,ram=16k    and whether a device could hold it
  ./pare train --init-from weights.h5               begin with weights from elsewhere
  ./pare train --set seed=2 --out runs/seed2        change anything
  ./pare train --resume                             go on with a run that was stopped

Exit codes: 0 done; 1 failed (full disk, ...); 2 command line or config; 3 data missing or damaged;
4 diverged; 5 verification failed; 130 and 143 stopped by a signal (143 also by --time-limit) after
saving: --resume goes on.)";

void add_options(CLI::App& app, TrainOptions& o) {
  app.add_option("--config", o.config, "the run's JSON file; also looked for in configs/")
      ->type_name("FILE");
  app.add_option("--out", o.out, "run folder; default runs/<name>")->type_name("DIR");
  CLI::Option* resume =
      app.add_flag("--resume", o.resume, "go on from the folder's newest valid checkpoint");
  app.add_flag("--overwrite", o.overwrite, "replace the run that the folder holds")
      ->excludes(resume);
  app.add_option("--set", o.sets, "change a key: optimizer.learning_rate=0.01 (again and again)")
      ->type_name("PATH=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  CLI::Option* init =
      app.add_option("--init-from", o.init_from,
                     "first weights from a checkpoint, a safetensors file or Keras's HDF5")
          ->type_name("FILE");
  app.add_option("--branch-from", o.branch_from,
                 "go on where a finished run ended that is the beginning of this one")
      ->type_name("RUN")
      ->excludes(init);
  app.add_flag("--smoke", o.smoke,
               "at most 20 steps a phase on 512 + 256 images; everything is written and verified");
  CLI::Option* plan = app.add_flag("--plan", o.plan, "print what would happen and stop");
  app.add_option("--target", o.target, "with --plan: what the device has, and whether it is enough")
      ->type_name("flash=64k,ram=8k")
      ->needs(plan);
  app.add_flag("--print-config", o.print_config, "print the config with every default and stop");
  app.add_option("--threads", o.threads,
                 "default: the cores of this process; results do not depend on it")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  app.add_option("--time-limit", o.time_limit, "stop after so many seconds as SIGTERM would")
      ->type_name("S")
      ->check(CLI::PositiveNumber);
  app.add_option("--data-dir", o.data_dir, "where data are looked for first")->type_name("DIR");
  app.add_flag("--json", o.json, "print result.json (or the plan) on stdout");
  CLI::Option* quiet = app.add_flag_callback(
      "-q", [&o] { o.level = Console::Level::quiet; }, "warnings and errors only");
  app.add_flag_callback(
         "-v", [&o] { o.level = Console::Level::verbose; }, "more messages")
      ->excludes(quiet);
}

// For a shell: in quotes unless it is harmless.
std::string quoted(const std::string& word) {
  const auto harmless = [](unsigned char c) {
    return std::isalnum(c) ||
           std::string_view("_-+=./,:@%").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), harmless)) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

}  // namespace

std::optional<TrainOptions> parse_train_options(int argc, const char* const* argv) {
  TrainOptions options;
  CLI::App app(kDescription, "./pare train");
  app.footer(kFooter);
  add_options(app, options);
  if (!parse_command_line(app, argc, argv)) return std::nullopt;
  return options;
}

std::string command_of(const TrainOptions& options) {
  std::string command = "./pare train";
  if (!options.config.empty()) {
    command += " --config " + quoted(options.config);
  } else if (options.resume) {
    command += " --config config.json";
  }
  for (const std::string& set : options.sets) command += " --set " + quoted(set);
  if (!options.init_from.empty()) command += " --init-from " + quoted(options.init_from);
  if (options.smoke) command += " --smoke";
  return command;
}

}  // namespace pare
