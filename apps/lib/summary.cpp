#include "apps/lib/summary.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <span>

#include "apps/lib/null_order.h"
#include "apps/lib/phases.h"
#include "apps/lib/plan_memory.h"
#include "apps/lib/progress.h"
#include "datasets/kinds.h"
#include "datasets/search.h"
#include "framework/base/text.h"
#include "layers/summary.h"

namespace pare {
namespace {

using config::Json;

std::string megabytes(std::int64_t bytes) {
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string percent(const Json& fraction) {
  return fraction.is_null() ? "-" : fmt::format("{:.2f} %", 100 * fraction.get<double>());
}

std::string line(std::string_view title, const std::string& value, const std::string& remark) {
  return fmt::format("  {:<14}{:>12}   {}\n", title, value, remark);
}

std::string accuracies(const Json& r) {
  const Json& a = r["accuracy"];
  const std::int64_t images = r["dataset"]["test"].get<std::int64_t>();
  std::string text = line("float", percent(a["float"]),
                          a["float"].is_null()
                              ? "no phase trained the dense network"
                              : fmt::format("the dense network, {} test images", grouped(images)));
  text += line("fake_quant", percent(a["fake_quant"]), "the compressed network in float32");
  if (a["integer"].is_null())
    return text + line("integer", "-", r["integer_refused"].get<std::string>());
  const Json& check = r["integer_check"];
  return text + line("integer", percent(a["integer"]),
                     fmt::format(
                         "what ships; {} of {} codes differ from the trained network{}",
                         grouped(check["differing"].get<std::int64_t>()),
                         grouped(check["codes"].get<std::int64_t>()),
                         r["integer_from"] == "post_training" ? "; quantized after training" : ""));
}

std::string sizes(const Json& r) {
  const auto float_bytes = r["bytes"]["float32"].get<std::int64_t>();
  const auto model_bytes = r["bytes"]["model"].get<std::int64_t>();
  std::string text = line("zero weights", percent(r["sparsity"]),
                          fmt::format("{} of them by masks", percent(r["sparsity_by_mask"])));
  text += line("model.pare", grouped(model_bytes) + " B",
               fmt::format("{:.1f} times smaller than {} B of float32",
                           static_cast<double>(float_bytes) / static_cast<double>(model_bytes),
                           grouped(float_bytes)));
  text += line("MACs", grouped(r["macs"].get<std::int64_t>()),
               fmt::format("an image, {} of them with a weight that is not zero",
                           grouped(r["effective_macs"].get<std::int64_t>())));
  return text + line("latency", fmt::format("{:.0f} us", r["latency_us"].get<double>()),
                     "one image, one thread");
}

// What automatic methods were asked for, and what came out.
std::string outcomes(const Json& decisions) {
  std::string text;
  for (const auto& [name, decision] : decisions.items()) {
    const Json& outcome = decision["outcome"];
    text += line(name, outcome["met"].get<bool>() ? "met" : "NOT MET",
                 fmt::format("the budget: {} B, {} MACs, {:.2f} points of the validation images lost",
                             grouped(outcome["bytes"].get<std::int64_t>()),
                             grouped(outcome["macs"].get<std::int64_t>()),
                             outcome["lost_points"].get<double>()));
  }
  return text;
}

// Where the test images lie as files, for the command to try next.
std::string test_files(const std::string& kind, const std::string& data_dir) {
  const DatasetKind& row = dataset_kind(kind);
  if (row.files.empty()) return "IMAGES";  // drawn, or the user's own
  try {
    const auto folders = data_folders(data_dir, [](const std::string&) {});
    const FoundFiles found = find_files(folders, subfolders(row), row.files, "", "");
    const auto test = std::span(found.paths).last(row.test_files);
    return join(test, " --labels ");
  } catch (const DataError&) {
    return "IMAGES";
  }
}

std::string methods_text(const PhaseConfig& phase) {
  std::string text;
  for (const std::string& name : phase.release) text += " -" + name;
  for (const std::string& name : phase.apply) text += " +" + name;
  return text.empty() ? "" : text.substr(1);
}

// From the first update to the last, of the first round where the phase has several.
std::string learning_rates(const Schedule& rate, const RateCourse& course, std::int64_t steps) {
  if (steps == 0) return "";
  const auto at = [&](std::int64_t step) { return course.at(rate, step); };
  const std::size_t rounds = course.rounds.size();
  const std::int64_t end = rounds > 1 ? course.rounds[1] : steps;
  const double first = at(0), last = at(end - 1);
  if (rate.kind == Schedule::Kind::constant && rate.warmup == 0) return fmt::format("{:.3g}", last);
  double peak = first;
  for (std::int64_t step = 0; step < end; ++step) peak = std::max(peak, at(step));
  const std::string times = rounds > 1 ? fmt::format("{} x ", rounds) : "";
  return times + (peak > first ? fmt::format("{:.3g} > {:.3g} > {:.3g}", first, peak, last)
                               : fmt::format("{:.3g} > {:.3g}", first, last));
}

// How much is pruned where no sparsity says so.
std::string amount_text(const PruneConfig& prune) {
  if (prune.threshold) {
    return fmt::format("below {:.3g}{}", prune.threshold->value,
                       prune.threshold->of_mean ? " of the mean" : "");
  }
  if (prune.rewind) {
    return fmt::format("{} times {:.3g} % of what is left", prune.rewind->rounds,
                       100 * prune.rewind->per_round);
  }
  if (prune.regrow && prune.regrow->c)
    return fmt::format("below mean + {:.3g} deviations", *prune.regrow->c);
  const Pattern pattern = prune.pattern.value_or(Pattern());
  return fmt::format("{} of {} stay", pattern.n, pattern.m);
}

std::string strategy_text(const StrategyConfig& s) {
  const bool matched = s.budget == StrategyConfig::Budget::matched;
  return fmt::format("strategy {} ({}), which expands into\n", s.kind,
                     matched ? "matched: every kind spends the same updates at the same rates"
                             : "as it is: nothing is trained only to match other kinds");
}

// The sparsity that a phase's pruning methods ask for, at quarters of the phase.
std::string sparsity_course(const RunConfig& run, const PhaseConfig& phase,
                            const ScheduleSpan& span) {
  std::string text;
  for (const std::string& name : phase.apply) {
    const auto* prune = std::get_if<PruneConfig>(&run.method(name).options);
    if (!prune || span.steps == 0) continue;
    if (!prune->follows_sparsity()) {
      text += amount_text(*prune);
      continue;
    }
    for (int quarter = 0; quarter <= 4; ++quarter) {
      const std::int64_t step = (span.steps - 1) * quarter / 4;
      text +=
          fmt::format("{}{:.1f}", text.empty() ? "" : " ", 100 * prune->sparsity.at(step, span));
    }
    text += " % zero";
  }
  return text;
}

}  // namespace

std::string summary(const Json& r, const std::string& folder, const std::string& data_dir) {
  const Json& data = r["dataset"];
  std::string text = fmt::format(
      "\n{}: {} ({}), kept epoch {} [{}], {} in all\n\n", r["name"].get<std::string>(),
      data["kind"].get<std::string>(), data["source"].get<std::string>(), r["kept"]["epoch"].dump(),
      r["kept"]["phase"].get<std::string>(), clock_text(r["seconds"].get<double>()));
  text += accuracies(r);
  if (!r["accuracy"]["integer"].is_null()) text += sizes(r);
  if (r.contains("auto")) text += outcomes(r["auto"]);
  text += fmt::format("\nEverything is in {}/ (start with result.json).", folder);
  if (r["accuracy"]["integer"].is_null()) return text;
  return text +
         fmt::format(" To run the integers on the test images:\n  ./pare infer {}/model.pare {}",
                     folder, test_files(data["kind"].get<std::string>(), data_dir));
}

std::string headline(const RunConfig& run, const Dataset& dataset) {
  std::int64_t updates = 0;
  for (const ScheduleSpan& span : phase_spans(run, dataset.train.count())) updates += span.steps;
  const Network network = build_network(run.model, dataset.train.shape, dataset.classes);
  return fmt::format("{}: {} images of {} ({}), {} parameters, {} updates", run.name,
                     grouped(dataset.train.count()), dataset.kind, dataset.source,
                     grouped(network.parameter_count()), grouped(updates));
}

std::string plan(const RunConfig& run, const Dataset& dataset) {
  const std::vector<ScheduleSpan> spans = phase_spans(run, dataset.train.count());
  std::string text = fmt::format(
      "{}: {} ({}): {} images to train, {} to validate, {} to test; batches of {}\n\n", run.name,
      dataset.kind, dataset.source, grouped(dataset.train.count()),
      grouped(dataset.validation.count()), grouped(dataset.test.count()), run.dataset.batch_size);
  text += summary(build_network(run.model, dataset.train.shape, dataset.classes)) + "\n";
  if (run.strategy) text += strategy_text(*run.strategy);
  const char* row = "{:<16}{:>8}{:>9}  {:<26}{:<18} {}\n";
  text += fmt::format(fmt::runtime(row), "phase", "epochs", "steps", "learning rate", "methods",
                      "sparsity");
  const std::vector<RateCourse> courses = rate_courses(run, spans);
  std::int64_t steps = 0;
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const PhaseConfig& phase = run.phases[i];
    text += fmt::format(
        fmt::runtime(row), phase.name,
        fmt::format("{:.4g}", static_cast<double>(spans[i].steps) / spans[i].steps_per_epoch),
        spans[i].steps, learning_rates(phase.optimizer.learning_rate, courses[i], spans[i].steps),
        methods_text(phase), sparsity_course(run, phase, spans[i]));
    steps += spans[i].steps;
  }
  const auto images = steps * std::min(run.dataset.batch_size, dataset.train.count());
  text += fmt::format("\n{} updates on {} images\n", grouped(steps), grouped(images));
  for (const NullSwitch& claim : null_switches(run)) text += "no effect: " + to_text(claim) + "\n";
  const TrainingMemory memory = training_memory(run, dataset);
  return text +
         fmt::format(
             "memory: {} in all: {} for the images, {} for a step, {} for weights and what the "
             "optimizer keeps, the rest for the program and its checkpoints\n",
             megabytes(memory.process), megabytes(memory.images), megabytes(memory.step),
             megabytes(memory.state));
}

}  // namespace pare
