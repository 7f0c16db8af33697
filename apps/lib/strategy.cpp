// The timelines are data; everything else turns one of them into phases. structured_first derives
// three methods: <name>_structures prunes filters (neurons, where nothing is a convolution),
// <name>_shrink removes them, <name>_rest prunes single weights of what is left.
#include "apps/lib/strategy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "apps/lib/run_config.h"
#include "framework/base/error.h"
#include "framework/base/text.h"

namespace pare {
namespace {

// What happens at the start of a part. All but prune and quantize are derived methods: the two
// rungs of a mask; a mask of structures, their removal, and a mask of single weights among the
// rest.
enum class What { prune, quantize, rung_1, rung_2, structures, shrink, rest };
enum class Role { dense, stage, recover, calibrate };

struct Part {
  const char* name;
  Role role;
  std::vector<What> apply = {};
  std::vector<What> release = {};
  bool padding = false;    // only there to match the budget
  double share = 1;        // of the role's epochs
  bool continues = false;  // the second half of a stage
};

struct Timeline {
  const char* kind;
  std::vector<Part> parts;
};

const Part kDense{.name = "dense", .role = Role::dense};
const Part kRecover{.name = "recover", .role = Role::recover};
const Part kCalibrate{.name = "calibrate", .role = Role::calibrate, .apply = {What::quantize}};

Part plain(const char* name, Role role = Role::stage) {
  return {.name = name, .role = role, .padding = true};
}

Part stage(const char* name, std::vector<What> apply) {
  return {.name = name, .role = Role::stage, .apply = std::move(apply)};
}

Part half(const char* name, std::vector<What> apply, std::vector<What> release, bool continues) {
  return {.name = name,
          .role = Role::stage,
          .apply = std::move(apply),
          .release = std::move(release),
          .share = 0.5,
          .continues = continues};
}

const std::vector<Timeline>& timelines() {
  using enum What;
  static const std::vector<Timeline> list = {
      {"dense", {kDense, plain("dense_2"), plain("dense_3"), plain("dense_4", Role::recover)}},
      {"prune_only", {kDense, stage("prune", {prune}), plain("train"), kRecover}},
      {"quantize_only", {kDense, stage("quantize", {quantize}), plain("train"), kRecover}},
      {"ptq_only",
       {kDense, plain("dense_2"), plain("dense_3"), plain("dense_4", Role::recover), kCalibrate}},
      {"prune_then_quantize",
       {kDense, stage("prune", {prune}), stage("quantize", {quantize}), kRecover}},
      {"quantize_then_prune",
       {kDense, stage("quantize", {quantize}), stage("prune", {prune}), kRecover}},
      {"joint", {kDense, stage("joint", {quantize, prune}), plain("train"), kRecover}},
      {"gradual_in_qat",
       {{.name = "quantize", .role = Role::dense, .apply = {quantize}},
        stage("prune", {prune}),
        plain("train"),
        kRecover}},
      {"alternating",
       {kDense, half("prune_1", {rung_1}, {}, false), half("quantize_1", {quantize}, {}, true),
        half("prune_2", {rung_2}, {quantize, rung_1}, false),
        half("quantize_2", {quantize}, {}, true), kRecover}},
      {"prune_quantize_prune",
       {kDense,
        half("prune_1", {rung_1}, {}, false),
        half("quantize", {quantize}, {}, true),
        {.name = "prune_2", .role = Role::stage, .apply = {rung_2}, .release = {rung_1}},
        kRecover}},
      {"prune_then_ptq", {kDense, plain("dense_2"), stage("prune", {prune}), kRecover, kCalibrate}},
      {"ptq_then_prune", {kDense, plain("dense_2"), kCalibrate, stage("prune", {prune}), kRecover}},
      {"structured_first",
       {kDense, half("structures", {structures}, {}, false), half("shrink", {shrink}, {}, true),
        half("prune", {rest}, {structures}, false), half("quantize", {quantize}, {}, true),
        kRecover}},
  };
  return list;
}

const Timeline& timeline(const std::string& kind) {
  const auto found = std::find_if(timelines().begin(), timelines().end(),
                                  [&](const Timeline& t) { return t.kind == kind; });
  PARE_ENSURE(found != timelines().end());
  return *found;
}

bool uses(const Timeline& timeline, std::initializer_list<What> any) {
  return std::any_of(timeline.parts.begin(), timeline.parts.end(), [&](const Part& part) {
    return std::find_first_of(part.apply.begin(), part.apply.end(), any.begin(), any.end()) !=
           part.apply.end();
  });
}

template <class Options>
std::vector<std::string> methods_of_kind(const RunConfig& run) {
  std::vector<std::string> names;
  for (const auto& [name, method] : run.compression) {
    if (std::holds_alternative<Options>(method.options)) names.push_back(name);
  }
  return names;
}

// The method that `key` names, or the only one of its kind.
template <class Options>
std::string method_name(const RunConfig& run, const std::string& given, const char* key,
                        const config::Object& o) {
  const std::vector<std::string> names = methods_of_kind<Options>(run);
  const std::string path = fmt::format("strategy.{}", key);
  if (given.empty() && names.size() == 1) return names[0];
  const std::string there = names.empty() ? "there is none" : join(names, ", ");
  if (given.empty()) {
    o.fail(path, fmt::format("{} needs the name of a method of kind {} from 'compression' ({})",
                             run.strategy->kind, key, there));
  } else if (std::find(names.begin(), names.end(), given) == names.end()) {
    o.fail(path, fmt::format("expected a method of kind {} from 'compression' ({}), got '{}'{}",
                             key, there, given, suggestion(given, names)));
  }
  return given;
}

// The two rungs of a schedule of sparsity: what survives the first is the geometric mean of what is
// there before and after.
std::pair<Schedule, Schedule> rungs(const Schedule& whole) {
  using Kind = Schedule::Kind;
  const bool constant = whole.kind == Kind::constant;
  const double before = constant ? 0 : whole.from;
  const double middle = 1 - std::sqrt((1 - before) * (1 - whole.to));
  Schedule first = whole, second = whole;
  first.to = middle;
  second.from = middle;
  if (constant) {
    first.from = middle;
    second.from = whole.to;
  }
  second.begin = second.warmup = 0;  // the first rung's sparsity is there from the first update on
  return {first, second};
}

// Adds a method of our own making.
void derive(RunConfig& run, const std::string& name, MethodConfig method, const config::Object& o) {
  for (const auto& [taken, other] : run.compression) {
    if (taken != name) continue;
    o.fail("compression." + taken,
           fmt::format("{} makes a method of this name itself", run.strategy->kind));
  }
  run.compression.emplace_back(name, std::move(method));
}

MethodConfig with_sparsity(MethodConfig method, const Schedule& sparsity) {
  std::get<PruneConfig>(method.options).sparsity = sparsity;
  return method;
}

// A method whose sparsity can be cut into two.
MethodConfig divisible(const RunConfig& run, const std::string& name, const config::Object& o) {
  const MethodConfig whole = run.method(name);
  const auto& prune = std::get<PruneConfig>(whole.options);
  const std::string& kind = run.strategy->kind;
  if (!prune.follows_sparsity()) {
    o.fail("strategy.kind",
           fmt::format("{} prunes twice with '{}'; expected a method with 'sparsity' (no "
                       "threshold, pattern or rewind)",
                       kind, name));
  }
  if (prune.sparsity.kind == Schedule::Kind::step ||
      prune.sparsity.kind == Schedule::Kind::one_cycle) {
    o.fail("strategy.kind",
           fmt::format("{} cuts the schedule of '{}' in two, which cannot be done with a schedule "
                       "of this kind; expected constant, one_shot, linear, polynomial, exponential "
                       "or cosine",
                       kind, name));
  }
  return whole;
}

// Adds <name>_1 and <name>_2.
void derive_rungs(RunConfig& run, const std::string& name, const config::Object& o) {
  const MethodConfig whole = divisible(run, name, o);
  const auto [first, second] = rungs(std::get<PruneConfig>(whole.options).sparsity);
  derive(run, name + "_1", with_sparsity(whole, first), o);
  derive(run, name + "_2", with_sparsity(whole, second), o);
}

Schedule with_target(Schedule schedule, double to) {
  if (schedule.kind == Schedule::Kind::constant) schedule.from = to;
  schedule.to = to;
  return schedule;
}

bool has_convolutions(const RunConfig& run) {
  return std::any_of(run.model.nodes.begin(), run.model.nodes.end(),
                     [](const NodeConfig& node) { return node.kind == "conv2d"; });
}

// Adds <name>_structures, <name>_shrink and <name>_rest. A fraction f of all filters takes about
// 1 - (1 - f)^2 of the weights along, inputs of the next layer included; each of the two prunings
// leaves the same fraction of what it finds.
void derive_structures(RunConfig& run, const std::string& name, const config::Object& o) {
  const MethodConfig whole = divisible(run, name, o);
  const auto& prune = std::get<PruneConfig>(whole.options);
  if (prune.granularity != PruneGranularity::element) {
    o.fail("strategy.kind",
           fmt::format("structured_first chooses structures itself; expected '{}' to have "
                       "granularity element",
                       name));
  }
  const double left = std::sqrt(1 - prune.sparsity.to);
  MethodConfig structures = with_sparsity(whole, with_target(prune.sparsity, 1 - std::sqrt(left)));
  auto& options = std::get<PruneConfig>(structures.options);
  options.granularity = has_convolutions(run) ? PruneGranularity::filter : PruneGranularity::neuron;
  options.score = Ranked::latent;
  derive(run, name + "_structures", std::move(structures), o);
  derive(run, name + "_shrink", {.kind = "shrink", .options = ShrinkConfig()}, o);
  derive(run, name + "_rest", with_sparsity(whole, with_target(prune.sparsity, 1 - left)), o);
}

// The names that What stands for.
struct Names {
  std::string prune, quantize;

  std::vector<std::string> of(const std::vector<What>& list) const {
    std::vector<std::string> names;
    for (const What what : list) {
      names.push_back(what == What::quantize     ? quantize
                      : what == What::rung_1     ? prune + "_1"
                      : what == What::rung_2     ? prune + "_2"
                      : what == What::structures ? prune + "_structures"
                      : what == What::shrink     ? prune + "_shrink"
                      : what == What::rest       ? prune + "_rest"
                                                 : prune);
    }
    return names;
  }
};

class Expansion {
 public:
  Expansion(const RunConfig& run, Names names) : run_(run), names_(std::move(names)) {}

  void add(const Part& part) {
    const StrategyConfig& s = *run_.strategy;
    if (part.padding && s.budget == StrategyConfig::Budget::as_is) return;
    if (part.role != Role::calibrate && epochs(part.role) == 0) return carry(part);
    PhaseConfig phase{.name = part.name,
                      .epochs = epochs(part.role) * part.share,
                      .apply = std::move(carried_),
                      .release = names_.of(part.release),
                      .continues = part.continues,
                      .optimizer = optimizer(part.role),
                      .loss = run_.loss};
    carried_.clear();
    for (std::string& name : names_.of(part.apply)) phase.apply.push_back(std::move(name));
    phases.push_back(std::move(phase));
  }

  std::vector<PhaseConfig> phases;

 private:
  // A part of no epochs is none; what it applies comes with the next one.
  void carry(const Part& part) {
    for (std::string& name : names_.of(part.apply)) carried_.push_back(std::move(name));
  }

  double epochs(Role role) const {
    const StrategyConfig::Epochs& e = run_.strategy->epochs;
    return role == Role::dense     ? e.dense
           : role == Role::stage   ? e.stage
           : role == Role::recover ? e.recover
                                   : 0;
  }

  const OptimizerConfig& optimizer(Role role) const {
    const StrategyConfig::Optimizers& x = run_.strategy->optimizer;
    return role == Role::dense     ? x.dense
           : role == Role::stage   ? x.stage
           : role == Role::recover ? x.recover
                                   : run_.optimizer;
  }

  const RunConfig& run_;
  Names names_;
  std::vector<std::string> carried_;
};

}  // namespace

void StrategyConfig::Epochs::describe(config::Object& o) {
  o.real("dense", dense, {.min = 0, .max = 1e6}, "before anything else; 0: none");
  o.real("stage", stage, {.max = 1e6, .above = 0}, "each of two");
  o.real("recover", recover, {.min = 0, .max = 1e6}, "at the end; 0: none");
}

void StrategyConfig::Optimizers::describe(config::Object& o) {
  o.object("dense", dense, "merged over the top-level one key by key");
  o.object("stage", stage, "merged over the top-level one key by key");
  o.object("recover", recover, "merged over the top-level one key by key");
}

void StrategyConfig::describe(config::Object& o) {
  o.choice("kind", kind, strategy_kinds(), "the order of compressing");
  o.require("kind");
  o.text("prune", prune, "a name from compression; \"\": the only method of kind prune");
  o.text("quantize", quantize, "a name from compression; \"\": the only method of kind quantize");
  o.object("epochs", epochs, "of the parts of the timeline: dense, two stages, recover");
  o.object("optimizer", optimizer, "of the parts; each starts afresh");
  o.choice("budget", budget, {{"matched", Budget::matched}, {"as_is", Budget::as_is}},
           "matched: every kind trains through all parts; as_is: without those in which it applies "
           "nothing");
}

config::Type<std::optional<StrategyConfig>> StrategyConfig::type(const OptimizerConfig& optimizer) {
  const config::Type<StrategyConfig> plain = config::object<StrategyConfig>();
  config::Type<std::optional<StrategyConfig>> type = config::optional(plain);
  type.read = [plain, &optimizer](const config::Node& node, std::optional<StrategyConfig>& x) {
    if (node.is_null()) return x.reset();
    x.emplace().optimizer = {optimizer, optimizer, optimizer};
    plain.read(node, *x);
  };
  type.write = [](const std::optional<StrategyConfig>&) { return config::omitted(); };
  return type;
}

std::vector<std::string> strategy_kinds() {
  std::vector<std::string> kinds;
  for (const Timeline& one : timelines()) kinds.emplace_back(one.kind);
  return kinds;
}

void expand_strategy(RunConfig& run, const config::Object& o) {
  const StrategyConfig& s = *run.strategy;
  const Timeline& chosen = timeline(s.kind);
  Names names;
  if (uses(chosen, {What::quantize}))
    names.quantize = method_name<QuantizeConfig>(run, s.quantize, "quantize", o);
  if (uses(chosen, {What::prune, What::rung_1, What::structures}))
    names.prune = method_name<PruneConfig>(run, s.prune, "prune", o);
  if (uses(chosen, {What::rung_1})) derive_rungs(run, names.prune, o);
  if (uses(chosen, {What::structures})) derive_structures(run, names.prune, o);
  Expansion expansion(run, names);
  for (const Part& part : chosen.parts) expansion.add(part);
  run.phases = std::move(expansion.phases);
}

}  // namespace pare
