#include "apps/lib/strategy_derived.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "apps/lib/run_config.h"
#include "framework/config/object.h"

namespace pare {
namespace {

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

Schedule with_target(Schedule schedule, double to) {
  if (schedule.kind == Schedule::Kind::constant) schedule.from = to;
  schedule.to = to;
  return schedule;
}

bool has_convolutions(const RunConfig& run) {
  return std::any_of(run.model.nodes.begin(), run.model.nodes.end(),
                     [](const NodeConfig& node) { return node.kind == "conv2d"; });
}

}  // namespace

void derive_rungs(RunConfig& run, const std::string& name, const config::Object& o) {
  const MethodConfig whole = divisible(run, name, o);
  const auto [first, second] = rungs(std::get<PruneConfig>(whole.options).sparsity);
  derive(run, name + "_1", with_sparsity(whole, first), o);
  derive(run, name + "_2", with_sparsity(whole, second), o);
}

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

}  // namespace pare
