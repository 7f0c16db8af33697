// The keys of a run and the rules between them. What is written back is complete: a phase shows the
// optimizer that it has after merging, and only where it differs from the top-level one.
#include "apps/lib/run_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "apps/lib/course.h"
#include "framework/base/error.h"
#include "framework/base/names.h"
#include "framework/base/text.h"
#include "framework/config/config.h"

namespace pare {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

// A phase on top of the run's own optimizer and loss.
config::Type<PhaseConfig> phase_type(const RunConfig& run) {
  const config::Type<PhaseConfig> plain = config::object<PhaseConfig>();
  config::Type<PhaseConfig> type = plain;
  type.read = [plain, &run](const config::Node& node, PhaseConfig& x) {
    x.optimizer = run.optimizer;
    x.loss = run.loss;
    plain.read(node, x);
  };
  type.write = [plain, &run](const PhaseConfig& x) {
    config::Json json = plain.write(x);
    if (x.continues || json["optimizer"] == config::write(run.optimizer)) json.erase("optimizer");
    if (!x.continues) json.erase("continue");
    if (json["loss"] == config::write(run.loss)) json.erase("loss");
    for (const char* key : {"epochs", "steps"}) {
      if (json[key].is_null()) json.erase(key);
    }
    for (const char* key : {"apply", "release", "freeze"}) {
      if (json[key].empty()) json.erase(key);
    }
    return json;
  };
  return type;
}

// What is meant to stay float has no integer form; better said before training.
void refuse_floats(const RunConfig& run, const std::string& name, const config::Object& o) {
  if (run.report.integer == ReportConfig::Integer::none) return;
  const auto* quantize = std::get_if<QuantizeConfig>(&run.method(name).options);
  if (!quantize || !quantize->leaves_floats()) return;
  o.fail("compression." + name + ".overrides",
         "a null leaves nodes float, and such a network does not become integers; expected "
         "\"report\": {\"integer\": \"none\"} with it");
}

// The one that was given last.
void choose_phases_or_strategy(RunConfig& run, const config::Object& o) {
  const std::optional<int> phases = o.rank("phases"), strategy = o.rank("strategy");
  if (!strategy) return;  // not reading: the phases are there
  if (phases && *phases == *strategy) {
    o.fail("strategy", "it expands into phases, and there are 'phases' too; take one of them out");
  }
  if (!phases || *phases < *strategy) {
    if (phases)
      run.remarks.emplace_back("the strategy replaces the phases, which were given before");
    return expand_strategy(run, o);
  }
  run.remarks.emplace_back("the phases replace the strategy, which was given before");
  run.strategy.reset();
}

constexpr std::size_t kLongestName = 100;

Names config_folders() {
  Names folders;
  if (const char* home = std::getenv("PARE_HOME"))
    folders.push_back(std::string(home) + "/configs");
  folders.push_back(PARE_CONFIG_DIR);
  return folders;
}

Names configs_in(const std::string& folder) {
  Names names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

void PhaseConfig::describe(config::Object& o) {
  o.text("name", name, "for progress, reports and other phases");
  o.require("name");
  o.real("epochs", epochs, {.min = 0, .max = 1e6}, "may be fractional; 0: calibrate only");
  o.integer("steps", steps, {.min = 0, .max = 1'000'000'000}, "updates, in place of epochs");
  o.list("apply", apply, "names from compression; they stay on until released");
  o.list("release", release, "names to take off again");
  o.list("freeze", freeze, "patterns over parameter paths that do not train in this phase");
  o.boolean(
      "continue", continues,
      "the optimizer, its moments and its learning rate's course go on from the phase before");
  o.object("optimizer", optimizer, "merged over the top-level one key by key");
  o.object("loss", loss, "merged over the top-level one key by key");
  if (o.given("epochs") == o.given("steps")) {
    o.fail("", "a phase has a length: expected either 'epochs' or 'steps'");
  }
  if (continues && o.given("optimizer")) {
    o.fail("optimizer",
           "a phase that continues has the optimizer of the phase before; take one of the two out");
  }
  if (o.given("name") && name.empty()) o.fail("name", "expected a name, got an empty text");
}

void RequantizationConfig::describe(config::Object& o) {
  o.choice("rounding", rounding,
           {{"double", integer::Rounding::twice}, {"single", integer::Rounding::once}},
           "double: as TFLite's reference kernels; single: one multiply, add half, shift");
}

void ReportConfig::describe(config::Object& o) {
  o.choice("keep", keep, {{"best", Keep::best}, {"last", Keep::last}},
           "which epoch is lowered: the best validation accuracy at the target compression, or the "
           "last");
  o.choice(
      "integer", integer, {{"ptq", Integer::post_training}, {"none", Integer::none}},
      "ptq: a network that ends without grids is quantized after training; none: no integer form");
  o.boolean("histograms", histograms, "of weights and activations, in report.html and events/");
  o.integer("images", images, {.min = 0, .max = 1000}, "misclassified ones to show in report.html");
  o.boolean("tensorboard", tensorboard, "write events/ for TensorBoard");
  o.integer("telemetry", telemetry, {.min = 0, .max = 1'000'000},
            "updates between two measurements of what masks and quantizers do to each layer, in "
            "telemetry.jsonl and report.html; 0: none");
}

void RunConfig::describe(config::Object& o) {
  o.text("name", name, "names the run folder; default: the stem of the config's file");
  o.integer("seed", seed, {.min = 0}, "everything random is a function of it");
  o.object("dataset", dataset, "which images, and what happens to them before the network");
  o.field("model", model, model_type(), "the network: a list of nodes, or the path of one");
  o.require("model");
  o.object("loss", loss, "what training makes small");
  o.object("optimizer", optimizer, "how");
  o.map("compression", compression, "WHAT may happen to the network: names of your choice");
  o.choice("composition", composition,
           {{"mask_then_quantize", Composition::mask_then_quantize},
            {"quantize_then_mask", Composition::quantize_then_mask}},
           "order inside a weight's chain");
  o.field("phases", phases, config::list(phase_type(*this)),
          "WHEN; default: one phase of 10 epochs");
  o.field("strategy", strategy, StrategyConfig::type(optimizer),
          "in place of phases: an order of compressing that expands into them");
  o.object("requantization", requantization, "how accumulators become codes");
  o.object("report", report, "what is kept and shown");

  if (o.missing("phases")) {
    phases[0].optimizer = optimizer;
    phases[0].loss = loss;
  }
  if (o.given("name") && !is_folder_name(name)) {
    o.fail("name", std::string("expected ") + kFolderNames);
  }
  if (strategy) choose_phases_or_strategy(*this, o);
  if (phases.empty()) o.fail("phases", "expected at least one phase");
  if (!phases.empty() && phases[0].continues) {
    o.fail("phases[0].continue", "there is no phase before it that could go on");
  }
  for (std::size_t i = 1; i < phases.size(); ++i) {
    if (phases[i].continues) phases[i].optimizer = phases[i - 1].optimizer;
  }
  check_course(*this, o);
  for (const std::string& method_name : final_methods()) refuse_floats(*this, method_name, o);
  const std::string refusal = integer_refusal();
  if (report.integer != ReportConfig::Integer::none && !refusal.empty())
    remarks.push_back("no integer form: " + refusal);
}

std::string RunConfig::integer_refusal() const {
  if (report.integer == ReportConfig::Integer::none) return "report.integer is none";
  for (const std::string& method_name : final_methods()) {
    const std::string reason = method(method_name).float_only();
    if (!reason.empty()) return fmt::format("compression.{}.{}", method_name, reason);
  }
  return "";
}

const MethodConfig& RunConfig::method(const std::string& method_name) const {
  for (const auto& [key, config] : compression) {
    if (key == method_name) return config;
  }
  PARE_ENSURE(!"method name was validated");
  return compression.front().second;
}

std::vector<std::string> RunConfig::final_methods() const {
  Names attached;
  for (const PhaseConfig& phase : phases) {
    for (const std::string& released : phase.release) std::erase(attached, released);
    attached.insert(attached.end(), phase.apply.begin(), phase.apply.end());
  }
  return attached;
}

std::string find_config(const std::string& path) {
  Names places = {path};
  if (!fs::path(path).is_absolute()) {
    for (const std::string& folder : config_folders()) places.push_back(folder + "/" + path);
  }
  for (const std::string& place : places) {
    if (fs::is_regular_file(place)) return place;
  }
  Names known;
  for (const std::string& folder : config_folders()) {
    for (std::string& name : configs_in(folder)) known.push_back(std::move(name));
  }
  throw ConfigError(fmt::format("config '{}' not found{}; looked for {}", path,
                                suggestion(fs::path(path).filename().string(), known),
                                join(places, ", ")));
}

bool is_folder_name(std::string_view name) { return is_plain_name(name, kLongestName); }

std::string default_name(const std::string& file) {
  std::string name = fs::path(file).stem().string().substr(0, kLongestName);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !is_plain(c); }, '_');
  if (name.starts_with('.')) name[0] = '_';
  return name.empty() ? "_" : name;
}

RunConfig load_run_config(const std::string& path, std::span<const std::string> sets) {
  const std::string file = find_config(path);
  RunConfig run = config::read<RunConfig>(config::load_file(file, sets));
  if (run.name.empty()) run.name = default_name(file);
  return run;
}

}  // namespace pare
