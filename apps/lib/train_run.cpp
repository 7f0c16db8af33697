// The order is chosen so that whatever can be refused is refused early: config, data, folder, a
// rehearsal of attaching and lowering, and only then the first update. Files appear as soon as they
// mean something.
#include "apps/lib/train_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "apps/lib/command_line.h"
#include "apps/lib/finish.h"
#include "apps/lib/null_order.h"
#include "apps/lib/phases.h"
#include "apps/lib/run_at_work.h"
#include "apps/lib/run_folder.h"
#include "apps/lib/signals.h"
#include "apps/lib/summary.h"
#include "apps/lib/target.h"
#include "datasets/load.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/base/parallel.h"
#include "framework/base/text.h"
#include "framework/config/config.h"

namespace pare {
namespace {

namespace fs = std::filesystem;

// The config named, or the run's own where a run is resumed and none is named, or the main job.
RunConfig config_of(const TrainOptions& options) {
  if (!options.config.empty()) return load_run_config(options.config, options.sets);
  const std::string own = options.out + "/config.json";
  if (options.resume && !options.out.empty() && fs::exists(own))
    return load_run_config(own, options.sets);
  return load_run_config(kDefaultConfig, options.sets);
}

RunFolder::IfThere if_there(const TrainOptions& options) {
  if (options.resume) return RunFolder::IfThere::resume;
  return options.overwrite ? RunFolder::IfThere::overwrite : RunFolder::IfThere::refuse;
}

// --plan. Throws ConfigError where the target is not met.
void print_plan(const TrainOptions& options, const RunConfig& config, const Dataset& dataset,
                const Rehearsal& rehearsal) {
  const Target target = options.target.empty() ? Target() : parse_target(options.target);
  if (!rehearsal.program) {
    if (!options.target.empty())
      throw ConfigError("--target: there is no integer program: " + config.integer_refusal());
    return print(plan(config, dataset));
  }
  const Estimate needs = estimate(config, rehearsal);
  print(options.json ? config::pretty(to_json(needs, target))
                     : plan(config, dataset) + "\n" + to_text(needs, target));
  if (!fits(needs, target))
    throw ConfigError("the network does not fit --target " + options.target);
}

void say_how_to_resume(const TrainOptions& options, const RunFolder& folder, Console& console) {
  const std::string smoke = options.smoke ? " --smoke" : "";
  const std::string data = options.data_dir.empty() ? "" : " --data-dir " + options.data_dir;
  console.status("");
  console.say("stopped; to go on from the last checkpoint:\n  ./pare train --resume --out " +
              folder.path() + smoke + data);
}

void say_what_is_unused(const RunConfig& config, Console& console) {
  if (config.strategy) return;  // it takes what it needs
  for (const auto& entry : config.compression) {
    const std::string& name = entry.first;
    const bool used =
        std::any_of(config.phases.begin(), config.phases.end(), [&](const PhaseConfig& phase) {
          return std::find(phase.apply.begin(), phase.apply.end(), name) != phase.apply.end();
        });
    if (!used) console.warn("compression." + name + " is applied by no phase");
  }
}

}  // namespace

void train_run(const TrainOptions& options, Console& console) {
  const double start = monotonic_seconds();
  RunConfig config = config_of(options);
  if (options.print_config) return print(config::pretty(config::write(config)));
  if (options.threads > 0) set_thread_count(options.threads);
  for (const std::string& remark : config.remarks) console.say(remark);
  say_what_is_unused(config, console);
  Dataset dataset = load_dataset(
      config.dataset, config.seed, options.data_dir,
      [&](const std::string& text) { console.warn(text); }, options.smoke ? kSmoke : Enough{});
  if (options.smoke) make_smoke(config, dataset);
  check_schedules(config, phase_spans(config, dataset.train.count()));
  const Rehearsal rehearsal = rehearse(config, dataset);
  if (!options.init_from.empty()) {  // refused before a folder is touched
    Network network = build_network(config.model, dataset.train.shape, dataset.classes);
    init_from(network, options.init_from);
  }
  const std::vector<NullSwitch> null_orders = null_switches(config);
  for (const NullSwitch& claim : null_orders) console.detail("no effect: " + to_text(claim));
  if (options.plan) return print_plan(options, config, dataset, rehearsal);

  if (!check_null_switches(config, dataset, null_orders))
    console.detail(
        "what is said to have no effect was not compared: a few updates of each phase "
        "cannot be trained");
  RunFolder folder(options.out.empty() ? "runs/" + config.name : options.out, if_there(options));
  console.log_to(folder.file("log.txt"));
  console.say(headline(config, dataset) + "; writing " + folder.path() + "/");
  RunAtWork run(options, console, config, dataset, rehearsal, folder, start);
  catch_signals();  // until here nothing is lost that a signal ends
  run.begin();
  write_file_atomically(folder.file("config.json"), config::pretty(config::write(config)));
  try {
    run.train();
    const config::Json result = run.finish_and_write();
    console.say(summary(result, folder.path(), options.data_dir));
    if (options.json) print(config::pretty(result));
  } catch (const Stopped&) {
    run.require_saved();
    say_how_to_resume(options, folder, console);
    run.write_unfinished_page("Stopped before its end. ./pare train --resume goes on.");
    throw;
  } catch (const DivergedError& error) {
    run.write_unfinished_page(error.what());
    throw;
  }
}

}  // namespace pare
