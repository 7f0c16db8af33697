#include "compression/prune_method.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "compression/prune/mask.h"

namespace pare {

void Threshold::describe(config::Object& o) {
  o.require("mean_abs");
  o.real("mean_abs", value, {.min = 0},
         "factor on the mean absolute value of the layer, or of all with scope global");
}

config::Type<std::optional<Threshold>> Threshold::type() {
  const config::Type<Threshold> factor = config::object<Threshold>();
  const config::Type<double> number = config::real({.min = 0});
  return {
      .read =
          [=](const config::Node& node, std::optional<Threshold>& x) {
            x.reset();
            if (node.is_null()) return;
            if (!node.is_number() && !node.is_object()) {
              node.expected("a number or {\"mean_abs\": factor}");
            }
            x.emplace().of_mean = node.is_object();
            if (node.is_object()) return factor.read(node, *x);
            number.read(node, x->value);
          },
      .write =
          [=](const std::optional<Threshold>& x) {
            if (!x) return config::omitted();
            return x->of_mean ? factor.write(*x) : config::Json(x->value);
          },
      .name = "number or object",
      .allowed = "at least 0",
      .schema =
          [=] {
            return config::Json{{"anyOf", config::Json::array({number.schema(), factor.schema()})}};
          },
      .inside = factor.inside};
}

void PruneConfig::describe(config::Object& o) {
  std::vector<std::string> names;
  for (const PrunerRow& row : pruner_table()) names.push_back(row.name);
  o.choice("method", method, names, "which weights matter least");
  config::Type<Schedule> sparsity_type = schedule_type(ScheduleUse::sparsity);
  if (threshold) sparsity_type.write = [](const Schedule&) { return config::omitted(); };
  o.field("sparsity", sparsity, sparsity_type, "fraction of the weights that become zero");
  o.field("threshold", threshold, Threshold::type(),
          "in place of sparsity: once, at the start of its phase, what scores below is pruned");
  o.choice("score", score,
           {{"latent", Ranked::latent},
            {"fake_quant", Ranked::fake_quant},
            {"int_code", Ranked::int_code}},
           "what is ranked: the latent weights, or their values or codes on the quantizer's grid");
  o.choice("ties", ties,
           {{"latent", Ties::latent}, {"index", Ties::index}, {"random", Ties::random}},
           "which of equal scores goes first: the smaller latent weight, the smaller index, any");
  o.choice(
      "scope", scope, {{"layer", PruneScope::layer}, {"global", PruneScope::global}},
      "every layer to the same sparsity, or the least important weights of all layers together");
  o.real("min_sparsity", min_sparsity, {.min = 0, .max = 1}, "of each layer, with scope global");
  o.real("max_sparsity", max_sparsity, {.min = 0, .max = 1}, "of each layer, with scope global");
  o.list("include", include,
         "patterns over parameter paths; empty: the weights of all convolutions and dense layers");
  o.list("exclude", exclude, "patterns over parameter paths");
  o.boolean("mask_gradient", mask_gradient, "pruned weights get no gradient");
  o.boolean("mask_moments", mask_moments, "the optimizer's moments of pruned weights become zero");
  if (o.given("sparsity") == o.given("threshold")) {
    o.fail("", "expected either 'sparsity' or 'threshold'");
  }
  if (min_sparsity > max_sparsity) o.fail("min_sparsity", "must not be larger than max_sparsity");
  if (sparsity.target() > max_sparsity)
    o.fail("max_sparsity", "the sparsity asked for is larger, so it cannot be reached");
}

void PruneMethod::attach(Network& network) {
  const auto weights = select_weights(network, {config_.include, config_.exclude});
  targets_ = attach_masks(weights, composition_, config_.mask_gradient);
  for (const PruneTarget& target : targets_) require_rankable(target, config_.score);
}

void PruneMethod::adopt(Network& network) {
  targets_ = find_masks(select_weights(network, {config_.include, config_.exclude}));
}

void PruneMethod::release(Network&) {
  for (const PruneTarget& target : targets_) target.parameter->remove(kMask);
  targets_.clear();
}

bool PruneMethod::is_update(const MethodStep& step) const {
  if (!step.applied_here) return false;
  return config_.threshold ? step.step == 0 : config_.sparsity.is_update(step.step, step.span);
}

void PruneMethod::before_step(const MethodStep& step) {
  if (!is_update(step)) return;
  std::vector<Tensor> weights;
  std::vector<std::vector<float>> scores;
  for (const PruneTarget& target : targets_) {
    weights.push_back(ranked_tensor(target, config_.score));
    pruner(config_.method)
        .score(target, weights.back(), step.seed, static_cast<std::uint64_t>(updates_),
               scores.emplace_back(static_cast<std::size_t>(weights.back().size())));
  }
  const std::int64_t changed =
      config_.threshold ? select_by_threshold(scores, weights) : select_by_sparsity(scores, step);
  ++updates_;
  if (changed > 0 && config_.mask_moments) mask_moments(step);
}

std::int64_t PruneMethod::select_by_sparsity(const std::vector<std::vector<float>>& scores,
                                             const MethodStep& step) {
  std::vector<std::vector<float>> ties;
  const char* by = config_.ties == Ties::latent ? "magnitude" : "random";
  for (const PruneTarget& target : targets_) {
    if (config_.ties == Ties::index) break;
    std::vector<float>& own = ties.emplace_back(scores[ties.size()].size());
    pruner(by).score(target, target.parameter->latent(), step.seed,
                     static_cast<std::uint64_t>(updates_), own);
  }
  reached_ = config_.sparsity.at(step.step, step.span);
  return select(targets_, scores,
                {.scope = config_.scope,
                 .sparsity = reached_,
                 .min_sparsity = config_.min_sparsity,
                 .max_sparsity = config_.max_sparsity,
                 .ties = ties});
}

std::int64_t PruneMethod::select_by_threshold(const std::vector<std::vector<float>>& scores,
                                              const std::vector<Tensor>& weights) {
  std::vector<double> sums, sizes, limits;
  for (const Tensor& tensor : weights) {
    double sum = 0;
    for (const float w : tensor.values()) sum += std::fabs(static_cast<double>(w));
    sums.push_back(sum);
    sizes.push_back(static_cast<double>(tensor.size()));
  }
  const double all = std::accumulate(sums.begin(), sums.end(), 0.0) /
                     std::accumulate(sizes.begin(), sizes.end(), 0.0);
  for (std::size_t t = 0; t < sums.size(); ++t) {
    const double mean = config_.scope == PruneScope::global ? all : sums[t] / sizes[t];
    limits.push_back(config_.threshold->value * (config_.threshold->of_mean ? mean : 1));
  }
  return select_below(targets_, scores, limits);
}

void PruneMethod::mask_moments(const MethodStep& step) const {
  if (!step.visit_moments) return;
  for (const PruneTarget& target : targets_) {
    const std::vector<std::uint8_t>& keep = target.mask->keep();
    step.visit_moments(*target.parameter, [&](Tensor& moment) {
      float* values = moment.mutable_data();
      for (std::size_t i = 0; i < keep.size(); ++i) {
        if (!keep[i]) values[i] = 0.0f;
      }
    });
  }
}

std::string PruneMethod::status() const {
  std::int64_t pruned = 0, size = 0;
  for (const PruneTarget& target : targets_) {
    pruned += target.mask->pruned();
    size += target.parameter->shape().size();
  }
  return fmt::format("{:.1f}% zero",
                     size ? 100.0 * static_cast<double>(pruned) / static_cast<double>(size) : 0.0);
}

void PruneMethod::visit_state(const std::string& prefix, StateVisitor& visitor) {
  visitor.integer(prefix + "/updates", updates_);
  visitor.real(prefix + "/reached", reached_);
}

}  // namespace pare
