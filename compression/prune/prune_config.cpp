#include "compression/prune/prune_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "compression/prune/pruner.h"
#include "framework/base/text.h"
#include "framework/config/object.h"

namespace pare {
namespace {

using Granularity = PruneGranularity;

const std::vector<std::pair<std::string, Granularity>>& granularities() {
  static const std::vector<std::pair<std::string, Granularity>> names = {
      {"element", Granularity::element},
      {"neuron", Granularity::neuron},
      {"filter", Granularity::filter},
      {"channel", Granularity::channel},
      {"block", Granularity::block},
      {"n_m", Granularity::n_m},
      {"residual_block", Granularity::residual_block}};
  return names;
}

std::string name_of(Granularity granularity) {
  for (const auto& [name, value] : granularities()) {
    if (value == granularity) return name;
  }
  return "";
}

std::optional<Pattern> parse_pattern(std::string_view text) {
  Pattern p;
  const auto [colon, no_n] = std::from_chars(text.data(), text.data() + text.size(), p.n);
  const char* const end = text.data() + text.size();
  if (no_n != std::errc() || colon == end || *colon != ':') return std::nullopt;
  const auto [rest, no_m] = std::from_chars(colon + 1, end, p.m);
  if (no_m != std::errc() || rest != end) return std::nullopt;
  return p;
}

void only_with(const config::Object& o, const char* key, bool allowed, const std::string& what) {
  if (o.given(key) && !allowed) o.fail(key, what);
}

// The rules, one function per topic.

void check_amount(const PruneConfig& c, const config::Object& o) {
  const bool by_sparsity = o.given("sparsity"), by_threshold = o.given("threshold");
  for (const char* key : {"sparsity", "threshold"}) {
    only_with(o, key, c.granularity != Granularity::n_m,
              "with granularity n_m the pattern says how many weights stay; take this key out");
    only_with(o, key, !c.rewind,
              "with rewind, rounds and per_round say how much is pruned; take this key out");
  }
  if (c.granularity == Granularity::n_m || c.rewind) return;
  const bool by_c = c.method == "dns" && c.regrow && c.regrow->c;
  if (c.method == "dns" && by_sparsity + by_threshold + by_c != 1) {
    o.fail("", "expected one of 'sparsity', 'threshold' and 'regrow.c'");
  }
  if (c.method != "dns" && by_sparsity == by_threshold) {
    o.fail("", "expected either 'sparsity' or 'threshold'");
  }
  only_with(o, "threshold", c.method != "rigl" && c.method != "soft",
            fmt::format("method {} keeps to a sparsity; expected 'sparsity'", c.method));
  if (c.method == "rigl" && c.sparsity.kind != Schedule::Kind::constant) {
    o.fail("sparsity", "rigl keeps the sparsity constant; expected a number");
  }
}

void check_granularity(const PruneConfig& c, const config::Object& o) {
  const std::vector<Granularity>& allowed = pruner_row(c.method).traits.granularities;
  if (!allowed.empty() &&
      std::find(allowed.begin(), allowed.end(), c.granularity) == allowed.end()) {
    std::vector<std::string> names;
    for (const Granularity g : allowed) names.push_back(name_of(g));
    o.fail("granularity", fmt::format("method {} prunes by {}, got {}", c.method, join(names, ", "),
                                      name_of(c.granularity)));
  }
  only_with(o, "block_size", c.granularity == Granularity::block, "only granularity block has one");
  if (c.granularity == Granularity::block && !c.block_size) {
    o.fail("", "granularity block needs a 'block_size', as in 4 or [1, 4]");
  }
  only_with(o, "pattern", c.granularity == Granularity::n_m, "only granularity n_m has one");
  const bool ranks = pruner_row(c.method).traits.ranks_weights;
  only_with(o, "norm", c.groups_weights() && ranks,
            ranks ? "a norm is of several weights, and granularity " + name_of(c.granularity) +
                        " ranks single ones; take it out"
                  : fmt::format("method {} ranks no weights; take it out", c.method));
}

void check_scope(const PruneConfig& c, const config::Object& o) {
  for (const char* key : {"min_sparsity", "max_sparsity"}) {
    only_with(o, key, c.scope == PruneScope::global,
              "with scope layer every layer has the same sparsity; expected \"scope\": \"global\" "
              "with it");
  }
  const double least = c.min_sparsity.value_or(0), most = c.max_sparsity.value_or(1);
  if (least > most) o.fail("min_sparsity", "must not be larger than max_sparsity");
  if (c.follows_sparsity() && c.sparsity.target() > most)
    o.fail("max_sparsity", "the sparsity asked for is larger, so it cannot be reached");
  const bool own = c.method == "rigl" || c.method == "dns" || c.granularity == Granularity::n_m;
  if (c.scope == PruneScope::global && own) {
    o.fail("scope", fmt::format("{} goes layer by layer; expected layer",
                                c.granularity == Granularity::n_m ? "granularity n_m"
                                                                  : "method " + c.method));
  }
}

void check_regrow(const PruneConfig& c, const config::Object& o) {
  const bool rigl = c.method == "rigl", dns = c.method == "dns";
  only_with(o, "regrow", rigl || dns, "only the methods rigl and dns let weights grow again");
  if (!c.regrow) return;
  const auto other = [&](const char* key, bool given, bool allowed, const char* owner) {
    if (given && !allowed) {
      o.fail(fmt::format("regrow.{}", key),
             fmt::format("belongs to method {}, and the method is {}", owner, c.method));
    }
  };
  other("fraction", c.regrow->fraction.has_value(), rigl, "rigl");
  other("distribution", c.regrow->distribution.has_value(), rigl, "rigl");
  other("low", c.regrow->low.has_value(), dns, "dns");
  other("high", c.regrow->high.has_value(), dns, "dns");
  other("c", c.regrow->c.has_value(), dns, "dns");
  if (c.regrow->low && c.regrow->high && *c.regrow->low > *c.regrow->high)
    o.fail("regrow.low", "must not be larger than high");
}

void check_method(const PruneConfig& c, const config::Object& o) {
  const PrunerTraits& traits = pruner_row(c.method).traits;
  if (c.score != Ranked::latent && !traits.ranks_weights) {
    o.fail("score", fmt::format("method {} ranks no weights; expected latent", c.method));
  }
  only_with(o, "factor", c.method == "soft", "only method soft has one");
  const bool moves = c.sparsity.kind != Schedule::Kind::constant ||
                     (c.factor && c.factor->kind != Schedule::Kind::constant);
  if (c.method == "soft" && !moves) {
    o.fail("",
           "soft pruning needs time: expected a schedule as 'sparsity' or as 'factor', as in "
           "{\"kind\": \"linear\", \"to\": 0.9}");
  }
  if (c.method == "dns" && c.mask_gradient.value_or(false)) {
    o.fail("mask_gradient",
           "with dns pruned weights go on training, or none would come back; "
           "expected false");
  }
  only_with(o, "rewind", traits.sees == Sees::nothing && !traits.comes_back,
            fmt::format("method {} does not go with it; expected magnitude or random", c.method));
}

}  // namespace

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

config::Type<std::optional<Pattern>> Pattern::type() {
  return {.read =
              [](const config::Node& node, std::optional<Pattern>& x) {
                x.reset();
                if (node.is_null()) return;
                if (node.is_text()) x = parse_pattern(node.text());
                if (!x || x->n < 1 || x->n >= x->m || x->m > 64) {
                  const bool turned = x && x->m >= 1 && x->m < x->n;
                  node.expected(
                      "N:M, N of every M weights stay, with 1 <= N < M <= 64",
                      turned ? fmt::format(" (did you mean \"{}:{}\"?)", x->m, x->n) : "");
                }
              },
          .write =
              [](const std::optional<Pattern>& x) {
                return x ? config::Json(fmt::format("{}:{}", x->n, x->m)) : config::omitted();
              },
          .name = "text",
          .allowed = "N:M",
          .schema =
              [] {
                return config::Json{{"type", "string"}};
              }};
}

void Regrow::describe(config::Object& o) {
  o.integer("every", every, {.min = 1, .max = 1'000'000'000}, "updates between two changes");
  o.real("until", until, {.min = 0, .max = 1}, "fraction of the phase after which the mask stays");
  o.real("fraction", fraction, {.min = 0, .max = 1},
         "rigl: of the kept weights that move at first, falling to 0 by a cosine; 0.3 if left out");
  o.field("distribution", distribution,
          config::optional(config::choice<Distribution>(
              {{"uniform", Distribution::uniform}, {"erk", Distribution::erk}})),
          "rigl: the same sparsity in every layer, or denser small layers (Erdos-Renyi kernel)");
  o.real("low", low, {.min = 0}, "dns: below low * threshold a weight is pruned; 0.9 if left out");
  o.real("high", high, {.min = 0}, "dns: from high * threshold on it comes back; 1.1 if left out");
  o.real("c", c,
         "dns: the threshold is mean + c * standard deviation of |w|; in place of sparsity");
}

void Rewind::describe(config::Object& o) {
  o.real("to", to, {.min = 0}, "epoch of the first phase whose weights the survivors get back");
  o.integer("rounds", rounds, {.min = 1, .max = 1000}, "prunings, spread evenly over the phase");
  o.real("per_round", per_round, {.min = 0.001, .max = 0.999}, "fraction of what is left");
}

bool PruneConfig::follows_sparsity() const {
  return !threshold && !rewind && granularity != PruneGranularity::n_m && !(regrow && regrow->c);
}

void PruneConfig::describe(config::Object& o) {
  std::vector<std::string> names;
  for (const PrunerRow& row : pruner_table()) names.push_back(row.name);
  o.choice("method", method, names, "which weights matter least");
  o.choice("granularity", granularity, granularities(), "what becomes zero together");
  o.field("block_size", block_size, config::optional(extent_type()),
          "block: outputs and inputs of a block in the matrix of a layer");
  o.field("pattern", pattern, Pattern::type(), "n_m: N of every M inputs stay; 2:4 if left out");
  o.field(
      "norm", norm,
      config::optional(
          config::choice<PruneNorm>({{"l1", PruneNorm::l1},
                                     {"l2", PruneNorm::l2},
                                     {"geometric_median", PruneNorm::geometric_median}})),
      "how several weights make one score: mean |w|, root mean square, or distance to the others "
      "of the layer; l1 if left out");
  config::Type<Schedule> sparsity_type = schedule_type(ScheduleUse::sparsity);
  if (!follows_sparsity()) sparsity_type.write = [](const Schedule&) { return config::omitted(); };
  o.field("sparsity", sparsity, sparsity_type,
          "fraction of the weights, or structures, that become zero");
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
  o.boolean("mask_gradient", mask_gradient,
            "pruned weights get no gradient; null: true, but false for dns");
  o.boolean("mask_moments", mask_moments,
            "the optimizer's moments of pruned weights are zero; null: true, but false for dns");
  o.object("regrow", regrow, "rigl, dns: how weights come back");
  o.object("rewind", rewind,
           "lottery ticket: back to early weights after each of several prunings");
  o.field("factor", factor, config::optional(schedule_type(ScheduleUse::factor)),
          "soft: alpha of W' = alpha W; 0.5 if left out");
  check_granularity(*this, o);
  check_regrow(*this, o);
  check_method(*this, o);
  check_amount(*this, o);
  check_scope(*this, o);
}

}  // namespace pare
