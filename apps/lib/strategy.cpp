#include "apps/lib/strategy.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/lib/run_config.h"
#include "apps/lib/strategy_derived.h"
#include "apps/lib/strategy_timelines.h"
#include "framework/base/text.h"
#include "framework/config/object.h"

namespace pare {
namespace {

using Part = StrategyPart;
using Role = StrategyRole;
using What = StrategyMethod;

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
    roles.push_back(part.role);
  }

  std::vector<PhaseConfig> phases;
  std::vector<Role> roles;  // of the phases

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

// Puts a distill method on in the phases that distill_when means. A stage of two halves is one.
class Distillation {
 public:
  Distillation(const StrategyConfig& strategy, Expansion& expansion, const config::Object& o)
      : strategy_(strategy), phases_(expansion.phases), roles_(expansion.roles), o_(o) {}

  void add(const std::string& name) {
    using When = StrategyConfig::When;
    const When when = strategy_.distill_when;
    const std::size_t begin = first_of(when == When::last ? Role::recover : Role::stage);
    phases_[begin].apply.push_back(name);
    if (when == When::first) release_behind(begin, name);
  }

 private:
  std::size_t first_of(Role role) const {
    const auto found = std::find(roles_.begin(), roles_.end(), role);
    if (found == roles_.end()) {
      o_.fail("strategy.distill_when",
              fmt::format("{} has no {} to distill in; expected {}", strategy_.kind,
                          role == Role::stage ? "stage" : "recovery",
                          role == Role::stage ? "the budget 'matched'"
                                              : "'strategy.epochs.recover' above 0, with the "
                                                "budget 'matched' where the kind is dense"));
    }
    return static_cast<std::size_t>(found - roles_.begin());
  }

  void release_behind(std::size_t phase, const std::string& name) {
    do ++phase;
    while (phase < phases_.size() && phases_[phase].continues);
    if (phase < phases_.size()) phases_[phase].release.push_back(name);
  }

  const StrategyConfig& strategy_;
  std::vector<PhaseConfig>& phases_;
  const std::vector<Role>& roles_;
  const config::Object& o_;
};

// The first part of a timeline is what "dense" means as a teacher, whatever the kind calls it.
void teach_by_first_part(RunConfig& run, const std::string& name) {
  for (auto& [key, method] : run.compression) {
    if (key != name) continue;
    std::optional<std::string>& phase = std::get<DistillConfig>(method.options).teacher.phase;
    if (phase == "dense") phase = run.phases[0].name;
  }
}

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
  o.text("distill", distill, "a name from compression, of kind distill; \"\": no distillation");
  o.choice("distill_when", distill_when,
           {{"first", When::first}, {"throughout", When::throughout}, {"last", When::last}},
           "first: in the first stage; throughout: in the stages and the recovery; last: in the "
           "recovery");
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
  const std::string teacher =
      s.distill.empty() ? "" : method_name<DistillConfig>(run, s.distill, "distill", o);
  if (!teacher.empty()) Distillation(s, expansion, o).add(teacher);
  run.phases = std::move(expansion.phases);
  if (!teacher.empty()) teach_by_first_part(run, teacher);
}

}  // namespace pare
