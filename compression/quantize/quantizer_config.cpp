#include "compression/quantize/quantizer_config.h"

#include <fmt/format.h>

#include <bit>

#include "compression/quantize/quantizer.h"
#include "framework/config/object.h"

namespace pare {
namespace {

std::vector<std::string> quantizers_for(bool weights) {
  std::vector<std::string> names;
  for (const QuantizerRow& row : quantizer_table()) {
    if (weights ? row.weights : row.activations) names.push_back(row.name);
  }
  return names;
}

}  // namespace

void QuantizerConfig::describe_keys(config::Object& o, bool weights) {
  o.choice("quantizer", quantizer, quantizers_for(weights), "how real values become codes");
  o.integer("bits", bits, {.min = 1, .max = 16}, "bits of a code; default: what the quantizer has");
  o.choice("scheme", scheme, {{"symmetric", Scheme::symmetric}, {"affine", Scheme::affine}},
           weights ? "symmetric: zero point 0; affine: the range's own zero point"
                   : "affine: the range's own zero point; of lsq, pact and dorefa: zero is the "
                     "lowest code behind a relu, symmetric elsewhere");
  o.choice("granularity", granularity,
           {{"per_channel", Granularity::per_channel}, {"per_tensor", Granularity::per_tensor}},
           "one scale per output channel, or one");
  o.choice("observer", observer, observer_kinds(weights), "where the range comes from (uniform)");
  o.real("decay", decay, {.min = 0, .below = 1},
         "share of the past, of the observers that remember batches");
  o.real("p", p, {.max = 100, .above = 50}, "of the observer percentile");
  std::vector<std::pair<std::string, ScaleKind>> kinds = {
      {"float", ScaleKind::real}, {"power_of_two", ScaleKind::power_of_two}};
  if (weights) kinds.emplace_back("one", ScaleKind::one);
  o.choice("scale", scale, kinds,
           weights ? "any scale, rounded up to a power of two, or 1 (binary, ternary)"
                   : "any scale, or rounded up to a power of two");
  o.choice("rounding", rounding,
           {{"nearest", RoundingMode::nearest},
            {"floor", RoundingMode::floor},
            {"truncate", RoundingMode::truncate},
            {"stochastic", RoundingMode::stochastic}},
           "which of the two codes around a value (uniform; stochastic in training only; "
           "activations are nearest or stochastic)");
  o.real("learning_rate", learning_rate, {.min = 0},
         "factor on the optimizer's, for the quantizer's own parameters");
  o.real("weight_decay", weight_decay, {.min = 0}, "of the quantizer's own parameters");
  const QuantizerRow& row = quantizer_row(quantizer);
  if (o.missing("bits") && !has_bits(row, bits)) bits = row.usual_bits;
  if (o.missing("granularity") && weights && row.one_grid) granularity = Granularity::per_tensor;
  if (o.missing("scheme") && bits == 16) scheme = Scheme::symmetric;
}

std::string QuantizerConfig::float_only() const {
  if (quantizer_row(quantizer).at_run_time)
    return "quantizer: ranges that are found at run time have no integer form, whose multipliers "
           "are constants";
  if (bits > 8) return "bits: codes of 16 bits have no integer form, the engine's have 8";
  if (quantizer_row(quantizer).by_levels && level_bits > 8)
    return "level_bits: levels of 16 bits have no integer form, the engine's weights have 8";
  return "";
}

void QuantizerConfig::describe_own_keys(config::Object& o) {
  o.choice("base", base, {{"2", LogBase::two}, {"sqrt2", LogBase::root}},
           "of log2: the ratio of two neighbouring levels");
  o.integer("levels", levels, {.min = 2, .max = 256}, "of codebook: entries of its table");
  o.integer("level_bits", level_bits, {.min = 8, .max = 16},
            "of codebook: 8, or 16, of the integers that its entries are rounded to; 16 has no "
            "integer form");
  if (level_bits != 8 && level_bits != 16)
    o.fail("level_bits", fmt::format("expected 8 or 16, got {}", level_bits));
  o.choice(
      "init", init,
      {{"linear", CodebookInit::linear},
       {"density", CodebookInit::density},
       {"random", CodebookInit::random}},
      "of codebook: where k-means begins: over the range, over the sorted weights, at weights");
  o.boolean("train", train, "of codebook: centroids follow their members' gradients");
  o.choice("reassign", reassign, {{"never", Reassign::never}, {"epoch", Reassign::epoch}},
           "of codebook: when a weight may change its centroid");
  if (!quantizer_row(quantizer).by_levels) return;
  const int implied = static_cast<int>(std::bit_width(static_cast<unsigned>(levels - 1)));
  if (o.given("bits") && bits != implied) {
    o.fail("bits", fmt::format("a codebook of {} levels has {} bits, got {}; expected 'levels' "
                               "alone",
                               levels, implied, bits));
  }
  bits = implied;
}

void QuantizerConfig::set_bits(int count) {
  bits = count;
  if (quantizer_row(quantizer).by_levels) levels = 1 << count;
}

void QuantizerConfig::check(const config::Object& o, const QuantizerConfig& usual) const {
  const QuantizerRow& row = quantizer_row(quantizer);
  if (!has_bits(row, bits)) {
    const std::string range = row.least_bits == row.most_bits
                                  ? std::to_string(row.least_bits)
                                  : fmt::format("{} to {}{}", row.least_bits, row.most_bits,
                                                row.wide ? " or 16" : "");
    o.fail("bits", fmt::format("{} has {} bits, got {}", quantizer, range, bits));
  }
  if (!row.observes && observer != usual.observer) {
    o.fail("observer",
           fmt::format("{} finds its range itself; expected uniform with an observer", quantizer));
  }
  const bool forgets = !row.observes || observer == "min_max" || observer == "max_abs";
  if (forgets && decay != usual.decay) {
    o.fail("decay",
           fmt::format("{} does not remember batches; expected an observer that does, as in "
                       "ema_min_max",
                       row.observes ? observer : quantizer));
  }
  const bool draws_signs = quantizer == "binary" && scale == ScaleKind::one &&
                           rounding == RoundingMode::stochastic;
  if (quantizer != "uniform" && rounding != RoundingMode::nearest && !draws_signs) {
    o.fail("rounding",
           fmt::format("{} rounds to nearest; expected uniform with another rounding{}", quantizer,
                       quantizer == "binary" ? ", or weights with scale one and stochastic" : ""));
  }
  if (bits == 16 && scheme == Scheme::affine)
    o.fail("scheme", "codes of 16 bits are symmetric; expected symmetric");
  if (bits == 16 && (observer == "mse" || observer == "kl")) {
    o.fail("observer",
           fmt::format("{} looks at 2048 bins, fewer than 16 bits have codes; expected another "
                       "observer",
                       observer));
  }
  if (quantizer == "uniform" && bits == 1 && scheme == Scheme::symmetric) {
    o.fail("bits",
           "one bit has no symmetric grid with a zero; expected scheme affine, or the "
           "quantizer binary");
  }
  if (scale == ScaleKind::one && quantizer != "binary" && quantizer != "ternary") {
    o.fail("scale", fmt::format("{} has no scale of one; binary and ternary do", quantizer));
  }
  if (!row.learns && (learning_rate != usual.learning_rate || weight_decay != usual.weight_decay)) {
    o.fail(learning_rate != usual.learning_rate ? "learning_rate" : "weight_decay",
           fmt::format("{} has no parameters of its own to train", quantizer));
  }
}

void WeightQuantizerConfig::describe(config::Object& o) {
  describe_keys(o, true);
  o.choice("observe", observe,
           {{"masked", Observed::masked},
            {"dense", Observed::dense},
            {"survivors", Observed::survivors}},
           "whose range is taken: what reaches the quantizer, the unpruned weight, or the weights "
           "that are kept, without the zeros of the others");
  o.real("clip_latent", clip_latent, {.above = 0},
         "largest |w| of latent weights, clipped after every step (binary: 1); null: any");
  describe_own_keys(o);
  check(o, WeightQuantizerConfig());
  if (quantizer_row(quantizer).one_grid && granularity == Granularity::per_channel) {
    o.fail("granularity",
           fmt::format("{} has one grid for the tensor; expected per_tensor", quantizer));
  }
  if (quantizer != "uniform" && scheme == Scheme::affine) {
    o.fail("scheme",
           fmt::format("weights of {} are symmetric; expected uniform with affine", quantizer));
  }
}

void ActivationQuantizerConfig::describe(config::Object& o) {
  describe_keys(o, false);
  check(o, ActivationQuantizerConfig());
  if (rounding == RoundingMode::floor || rounding == RoundingMode::truncate) {
    o.fail("rounding", "integers round activations to nearest; expected nearest or stochastic");
  }
}

}  // namespace pare
