#include "compression/auto_method.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/config/object.h"

namespace pare {
namespace {

constexpr double kSparsityReachedAt = 0.6;  // of the phase; the rest recovers

QuantizeConfig quantizer_of(const std::vector<LayerChoice>& choices) {
  QuantizeConfig config;
  for (const LayerChoice& choice : choices) {
    OverrideConfig own;
    own.match = choice.node;
    own.weights = config.weights;
    own.weights->bits = choice.bits;
    own.sets_weights = true;
    config.overrides.push_back(std::move(own));
  }
  return config;
}

PruneConfig pruner_of(const LayerChoice& choice) {
  PruneConfig config;
  config.sparsity.kind = Schedule::Kind::polynomial;
  config.sparsity.to = choice.sparsity;
  config.sparsity.end = kSparsityReachedAt;
  config.sparsity.frequency = 100;
  config.include = {choice.node + ".weight"};
  return config;
}

}  // namespace

void BudgetConfig::describe(config::Object& o) {
  o.integer("bytes", bytes, {.min = 1}, "of model.pare, at most");
  o.integer("macs", macs, {.min = 1}, "of one image, those whose weight is not zero, at most");
  o.real("loss_points", loss_points, {.max = 100, .above = 0},
         "percent of the validation images that may be lost against the network before");
  if (bytes && macs) o.fail("macs", "expected either 'bytes' or 'macs'");
  if (!bytes && !macs && !loss_points) o.fail("", "expected 'bytes', 'macs' or 'loss_points'");
}

void SearchConfig::describe(config::Object& o) {
  o.field("bits", bits, config::list(config::integer<int>({.min = 2, .max = 8})),
          "that a layer's weights may have");
  o.field("sparsity", sparsity, config::list(config::real({.min = 0, .below = 1})),
          "that a layer may have");
  o.choice("sensitivity", sensitivity,
           {{"loss", Sensitivity::loss}, {"hessian", Sensitivity::hessian}},
           "what a layer's options are ranked by: the loss on validation images with the layer alone "
           "compressed, or an estimate of it from second derivatives");
  o.real("epochs", epochs, {.above = 0}, "of training with which each plan is tried");
  if (bits.empty()) o.fail("bits", "expected at least one number of bits");
  if (sparsity.empty()) o.fail("sparsity", "expected at least one sparsity (0: not pruned)");
}

void AutoConfig::describe(config::Object& o) {
  o.object("budget", budget, "what the result may cost");
  o.require("budget");
  o.object("search", search, "among what");
}

AutoMethod::AutoMethod(const AutoConfig& config, Composition composition)
    : composition_(composition),
      fewest_bits_(*std::min_element(config.search.bits.begin(), config.search.bits.end())) {}

void AutoMethod::decide(const std::vector<LayerChoice>& choices) {
  choices_ = choices;
  parts_.clear();
  parts_.push_back(std::make_unique<QuantizeMethod>(quantizer_of(choices), composition_));
  for (const LayerChoice& choice : choices) {
    if (choice.sparsity > 0)
      parts_.push_back(std::make_unique<PruneMethod>(pruner_of(choice), composition_));
  }
}

void AutoMethod::attach(Network& network) {
  if (parts_.empty()) {
    std::vector<LayerChoice> choices;
    for (const Parameter* weight : select_weights(network, {})) {
      const std::string& path = weight->path();
      choices.push_back({.node = path.substr(0, path.rfind('.')), .bits = fewest_bits_});
    }
    decide(choices);
  }
  for (const auto& part : parts_) part->attach(network);
}

void AutoMethod::adopt(Network& network) {
  for (const auto& part : parts_) part->adopt(network);
}

void AutoMethod::release(Network& network) {
  for (const auto& part : parts_) part->release(network);
}

void AutoMethod::tell(const MethodStep& step, void (Method::*what)(const MethodStep&)) {
  for (const auto& part : parts_) (part.get()->*what)(step);
}

bool AutoMethod::at_target() const {
  return std::all_of(parts_.begin(), parts_.end(),
                     [](const auto& part) { return part->at_target(); });
}

std::string AutoMethod::status() const {
  std::string text = "auto";
  for (const LayerChoice& choice : choices_) {
    text += fmt::format(" {}:{}b", choice.node, choice.bits);
    if (choice.sparsity > 0) text += fmt::format("/{:g}%", 100 * choice.sparsity);
  }
  return text;
}

void AutoMethod::visit_state(const std::string& prefix, StateVisitor& visitor) {
  for (std::size_t i = 0; i < parts_.size(); ++i)
    parts_[i]->visit_state(fmt::format("{}/{}", prefix, i), visitor);
}

}  // namespace pare
