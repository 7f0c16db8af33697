// The order is chosen so that whatever can be refused is refused early: config, data, folder, a
// rehearsal of attaching and lowering, and only then the first update. Files appear as soon as they
// mean something.
#include "apps/lib/train_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <optional>

#include "apps/lib/branch.h"
#include "apps/lib/checkpoint.h"
#include "apps/lib/command_line.h"
#include "apps/lib/finish.h"
#include "apps/lib/null_order.h"
#include "apps/lib/phases.h"
#include "apps/lib/progress.h"
#include "apps/lib/report/page.h"
#include "apps/lib/result.h"
#include "apps/lib/resumable.h"
#include "apps/lib/run_events.h"
#include "apps/lib/run_folder.h"
#include "apps/lib/run_report.h"
#include "apps/lib/run_saver.h"
#include "apps/lib/signals.h"
#include "apps/lib/summary.h"
#include "apps/lib/target.h"
#include "apps/lib/telemetry_charts.h"
#include "apps/lib/telemetry_file.h"
#include "apps/lib/trainer.h"
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

constexpr const char* kTelemetry = "telemetry.jsonl";

std::vector<std::string> phase_names(const RunConfig& config) {
  std::vector<std::string> names;
  for (const PhaseConfig& phase : config.phases) names.push_back(phase.name);
  return names;
}

// Everything between the first update and the last file.
class Run {
 public:
  Run(const TrainOptions& options, Console& console, const RunConfig& config,
      const Dataset& dataset, const Rehearsal& rehearsal, RunFolder& folder, double start)
      : options_(options),
        console_(console),
        config_(config),
        dataset_(dataset),
        rehearsal_(rehearsal),
        folder_(folder),
        start_(start),
        saver_(folder, console),
        trainer_(config, dataset, trainer_events()) {}

  // The state that the first update starts from.
  void begin() {
    if (options_.resume && resume_newest()) return;
    if (!options_.branch_from.empty()) return branch();
    if (options_.init_from.empty()) return;
    const InitialWeights initial = trainer_.init_from(options_.init_from);
    console_.say(fmt::format("first weights from {} ({}): {} values: {}", options_.init_from,
                             initial.format, initial.taken, join(initial.names, ", ")));
  }

  void train() {
    if (config_.report.telemetry > 0) {
      telemetry_.emplace(folder_.file(kTelemetry), phase_names(config_), trainer_.state().measured);
      saver_.save_with(*telemetry_);
    }
    if (config_.report.tensorboard) {
      write_events(
          [&] { events_.emplace(folder_.file("events"), config_, trainer_.state().rows); });
    }
    progress_.emplace(console_, trainer_.spans(), trainer_.state().run_step);
    trainer_.run();
    console_.status("");
    trainer_.restore_kept();
  }

  config::Json finish_and_write() {
    const Outcome outcome = finish(trainer_.network(), config_, dataset_, [&](std::int64_t done) {
      if (const int signal = stop()) throw Stopped{signal};
      progress_->verifying(done, dataset_.test.count());
    });
    if (outcome.integer) {
      require_verified(outcome.integer->verification);
      write_file_atomically(folder_.file("model.pare"), outcome.integer->bytes);
    }
    const std::vector<LayerStatistics> layers =
        layer_statistics(trainer_.network(), dataset_.test, trainer_.values());
    const config::Json result =
        result_json(config_, dataset_, trainer_, outcome, layers, seconds(),
                    rehearsal_.program ? &*rehearsal_.program : nullptr);
    write_file_atomically(folder_.file("result.json"), config::pretty(result));
    write_events([&] { events_->result(result, trainer_.state().run_step); });
    write_page(finished_page(config_, dataset_, trainer_, outcome, layers, result, command()));
    folder_.save_seconds(seconds());
    return result;
  }

  // Throws FailedError where the newest state is not on disk.
  void require_saved() const { saver_.require_saved(); }

  // After an error or a signal.
  void write_unfinished_page(const std::string& why) const {
    write_page(unfinished_page(config_, dataset_, trainer_, command(), why));
  }

 private:
  // False where there is nothing to resume.
  bool resume_newest() {
    std::optional<Resumable> found = find_resumable(folder_, config_, dataset_.hash, console_);
    if (!found) {
      console_.say("nothing to resume in " + folder_.path() + ": starting from the beginning");
      return false;
    }
    resume(std::move(found->checkpoint), std::move(found->best), found->path);
    return true;
  }

  // As if the other run's phases had been trained here.
  void branch() {
    const std::string from = options_.branch_from + "/checkpoints/";
    Checkpoint beginning =
        branched(load_checkpoint(from + "last.h5"), config_, dataset_.hash, from + "last.h5");
    Snapshot arrays;
    if (beginning.state.best) {
      Checkpoint best = load_checkpoint(from + "best.h5");
      best.config = config::write(config_);
      save_checkpoint(best, folder_.best_checkpoint());
      arrays = part_of(best.arrays, kNetworkArrays);
    }
    read_times(beginning.state.rows, options_.branch_from + "/metrics.jsonl");
    trainer_.resume(beginning, std::move(arrays), from + "last.h5");
    saver_.write_rows(beginning.state.rows);
    console_.say(fmt::format("going on from {} after {} updates", options_.branch_from,
                             beginning.state.run_step));
  }

  double seconds() const { return folder_.seconds_before() + monotonic_seconds() - start_; }

  int stop() const {
    if (const int signal = caught_signal()) return signal;
    return options_.time_limit && monotonic_seconds() - start_ > *options_.time_limit ? SIGTERM : 0;
  }

  TrainerEvents trainer_events() {
    return {.phase =
                [this](const PhaseConfig& phase) {
                  console_.detail("phase '" + phase.name + "' begins");
                },
            .step = [this](const StepNews& news) { progress_->step(news); },
            .row =
                [this](EpochRow& row) {
                  row.seconds = seconds();
                  progress_->row(row);
                  warn_without_integers(row);
                  write_events([&] { events_->row(row, trainer_.network()); });
                },
            .telemetry = [this](auto rows) { telemetry_->add(rows); },
            .say =
                [this](const std::string& text) {
                  console_.status("");
                  console_.say(text);
                },
            .save = [this](bool best) { saver_.save(trainer_.checkpoint(), best, seconds()); },
            .stop = [this] { return stop(); }};
  }

  void write_page(report::Page page) const {
    if (telemetry_)
      page.telemetry =
          telemetry_charts(read_telemetry(folder_.file(kTelemetry)), config_, trainer_.spans());
    write_file_atomically(folder_.file("report.html"), report::to_html(page));
  }

  std::string command() const { return command_of(options_); }

  // TensorBoard's file is for looking at: where it cannot be written, the run goes on without it. A
  // resumed run fills in what it lacks.
  template <class Write>
  void write_events(const Write& write) {
    if (!config_.report.tensorboard || events_failed_) return;
    try {
      write();
    } catch (const FailedError& error) {
      events_failed_ = true;
      console_.warn(std::string(error.what()) + ". The run goes on without it");
    }
  }

  // Once, at the first epoch from which on the end would be refused.
  void warn_without_integers(const EpochRow& row) {
    if (!row.at_target || warned_) return;
    const std::string fault = integer_fault(trainer_.network(), config_);
    if (fault.empty()) return;
    warned_ = true;
    console_.warn(fault + "; if that stays so, the run ends without an integer model");
  }

  // A run that is resumed needs the file of its first weights no more; another file is a mistake.
  void require_same_beginning(const TrainingState& state, const std::string& path) const {
    if (options_.init_from.empty() || hash_of_file(options_.init_from) == state.init_hash) return;
    throw ConfigError(path + ": did not begin with the weights of " + options_.init_from +
                      "; resume without --init-from, or start again with --overwrite");
  }

  void resume(Checkpoint checkpoint, Snapshot best, const std::string& path) {
    require_same_beginning(checkpoint.state, path);
    read_times(checkpoint.state.rows, folder_.file("metrics.jsonl"));
    trainer_.resume(checkpoint, std::move(best), path);
    // Behind the last save nothing would bring a damaged or older last.h5 up to date.
    if (path != folder_.last_checkpoint()) save_checkpoint(checkpoint, folder_.last_checkpoint());
    saver_.write_rows(checkpoint.state.rows);  // what was measured after the checkpoint comes again
    console_.say("resuming from " + path + " after " + std::to_string(checkpoint.state.run_step) +
                 " updates");
  }

  const TrainOptions& options_;
  Console& console_;
  const RunConfig& config_;
  const Dataset& dataset_;
  const Rehearsal& rehearsal_;
  RunFolder& folder_;
  double start_;  // of this process's work
  RunSaver saver_;
  Trainer trainer_;
  std::optional<Progress> progress_;  // from train() on
  std::optional<RunEvents> events_;
  std::optional<TelemetryFile> telemetry_;
  bool events_failed_ = false;
  bool warned_ = false;  // that there is no integer form
};

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
  Dataset dataset = load_dataset(config.dataset, config.seed, options.data_dir,
                                 [&](const std::string& text) { console.warn(text); });
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

  check_null_switches(config, dataset, null_orders);
  RunFolder folder(options.out.empty() ? "runs/" + config.name : options.out, if_there(options));
  console.log_to(folder.file("log.txt"));
  console.say(headline(config, dataset) + "; writing " + folder.path() + "/");
  Run run(options, console, config, dataset, rehearsal, folder, start);
  catch_signals();  // until here nothing is lost that a signal ends
  run.begin();
  write_file_atomically(folder.file("config.json"), config::pretty(config::write(config)));
  try {
    run.train();
    const config::Json result = run.finish_and_write();
    console.say(summary(result, folder.path(), options.data_dir));
    if (options.json) print(config::pretty(result));
    run.require_saved();
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
