#include "apps/lib/null_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "apps/lib/finish.h"
#include "apps/lib/shorten.h"
#include "apps/lib/trainer.h"
#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/config/config.h"
#include "framework/io/sha256.h"

namespace pare {
namespace {

using Names = std::vector<std::string>;

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The weights' quantizers that a method attaches: its own, and those of overrides.
std::vector<WeightQuantizerConfig> weight_quantizers(const QuantizeConfig& q) {
  std::vector<WeightQuantizerConfig> all;
  if (q.weights) all.push_back(*q.weights);
  for (const OverrideConfig& override : q.overrides) {
    if (override.sets_weights && override.weights) all.push_back(*override.weights);
  }
  return all;
}

// Equal steps, the grid a function of a range that includes 0: real 0 is a code, rounding is
// monotone, and zeros widen no range.
bool is_plain(const WeightQuantizerConfig& w) {
  const bool range =
      w.observer == "min_max" || w.observer == "max_abs" || w.observer == "ema_min_max";
  return w.quantizer == "uniform" && w.rounding == RoundingMode::nearest && range;
}

// Weights are changed by gradients alone, and those arrive through what reads the chain: a penalty
// on the rounding error is a gradient of what enters the quantizer, pruned or not.
bool is_plain(const QuantizeConfig& q) {
  return q.error_penalty == 0 && !q.adaround && !q.equalize && !q.correct_bias;
}

// Ranks single weights, and what it has pruned stays pruned.
bool is_plain(const PruneConfig& p) {
  const bool known = p.method == "magnitude" || p.method == "random";
  return known && p.granularity == PruneGranularity::element && !p.rewind && !p.regrow;
}

// Which methods are on at the same time, and in which order they came.
class Course {
 public:
  explicit Course(const RunConfig& run) {
    Names on;
    for (const PhaseConfig& phase : run.phases) {
      for (const std::string& name : phase.release) std::erase(on, name);
      for (const std::string& name : phase.apply) {
        on.push_back(name);
        before_.push_back({name, {on.begin(), on.end() - 1}});
      }
      together_.push_back(on);
    }
  }

  bool meet(const std::string& a, const std::string& b) const {
    return std::any_of(together_.begin(), together_.end(),
                       [&](const Names& on) { return contains(on, a) && contains(on, b); });
  }
  // Wherever `name` is applied, `other` is on already.
  bool always_after(const std::string& name, const std::string& other) const {
    return std::all_of(before_.begin(), before_.end(), [&](const auto& entry) {
      return entry.first != name || contains(entry.second, other);
    });
  }

 private:
  std::vector<Names> together_;                        // of each phase
  std::vector<std::pair<std::string, Names>> before_;  // what was on when a method came
};

class Detector {
 public:
  explicit Detector(const RunConfig& run) : run_(run), course_(run) {
    for (const auto& [name, method] : run.compression) {
      const auto* p = std::get_if<PruneConfig>(&method.options);
      if (p) prunes_.push_back(name);
      const auto* q = std::get_if<QuantizeConfig>(&method.options);
      if (q && !weight_quantizers(*q).empty()) quantizes_.push_back(name);
      understood_ = understood_ && ((p && is_plain(*p)) || q);
    }
  }

  // Nothing is said of a run with a method that is not understood.
  std::vector<NullSwitch> claims() {
    if (!understood_) return {};
    composition();
    for (const std::string& name : quantizes_) observe(name);
    for (const std::string& name : prunes_) {
      ties(name);
      score(name);
    }
    return std::move(claims_);
  }

 private:
  const PruneConfig& prune(const std::string& name) const {
    return std::get<PruneConfig>(run_.method(name).options);
  }
  const QuantizeConfig& quantize(const std::string& name) const {
    return std::get<QuantizeConfig>(run_.method(name).options);
  }
  bool mask_first() const { return run_.composition == Composition::mask_then_quantize; }
  bool meets_a_mask(const std::string& quantizer) const {
    return std::any_of(prunes_.begin(), prunes_.end(),
                       [&](const std::string& p) { return course_.meet(p, quantizer); });
  }
  bool masks_meet_quantizers() const {
    return std::any_of(quantizes_.begin(), quantizes_.end(),
                       [&](const std::string& q) { return meets_a_mask(q); });
  }

  void claim(const std::string& key, Names values, const std::string& why) {
    claims_.push_back({key, std::move(values), why});
  }

  void composition() {
    const Names both = {"mask_then_quantize", "quantize_then_mask"};
    if (prunes_.empty() || quantizes_.empty()) return;
    if (!masks_meet_quantizers())
      return claim("composition", both, "no weight has a mask and a quantizer at the same time");
    for (const std::string& q : quantizes_) {
      if (!is_plain(quantize(q))) return;
      for (const WeightQuantizerConfig& w : weight_quantizers(quantize(q))) {
        if (!is_plain(w) || w.observe == Observed::masked) return;
      }
    }
    const bool gradients = std::all_of(prunes_.begin(), prunes_.end(), [&](const std::string& p) {
      return prune(p).mask_gradient.value_or(true);
    });
    if (!gradients) return;
    claim("composition", both,
          "0 is on the grid, the grid comes from a tensor that does not depend on the order, and "
          "pruned weights get no gradient");
  }

  void observe(const std::string& name) {
    const std::string key = "compression." + name + ".weights.observe";
    const QuantizeConfig& q = quantize(name);
    if (!q.weights || !q.overrides.empty()) return;
    if (!meets_a_mask(name))
      return claim(key, {"masked", "dense", "survivors"}, "no weight that it quantizes has a mask");
    if (!is_plain(*q.weights)) return;
    const Observed now = q.weights->observe;
    if (mask_first() && now != Observed::dense)
      claim(key, {"masked", "survivors"},
            "the mask stands in front of the quantizer, and its zeros widen no range");
    if (!mask_first() && now != Observed::survivors)
      claim(key, {"masked", "dense"}, "the quantizer stands in front of the mask");
  }

  void ties(const std::string& name) {
    const PruneConfig& p = prune(name);
    const std::string key = "compression." + name + ".ties";
    if (p.threshold) return claim(key, {"latent", "index", "random"}, "a threshold ranks nothing");
    if (p.method == "magnitude" && p.score == Ranked::latent && p.ties != Ties::random)
      claim(key, {"latent", "index"}, "equal scores are equal latent weights");
    if (p.method == "random" && p.ties != Ties::latent)
      claim(key, {"index", "random"}, "equal scores are equal draws");
  }

  void score(const std::string& name) {
    const PruneConfig& p = prune(name);
    const std::string key = "compression." + name + ".score";
    const bool quantized = std::any_of(quantizes_.begin(), quantizes_.end(), [&](const auto& q) {
      return course_.always_after(name, q) && quantize(q).weights && quantize(q).overrides.empty();
    });
    if (!quantized || p.threshold) return;
    if (p.method != "magnitude" || p.scope != PruneScope::layer || p.score == Ranked::latent)
      return;
    for (const std::string& q : quantizes_) {
      if (!course_.meet(name, q)) continue;
      for (const WeightQuantizerConfig& w : weight_quantizers(quantize(q))) {
        if (w.quantizer != "uniform" || w.granularity != Granularity::per_tensor) return;
      }
    }
    claim(key, {"fake_quant", "int_code"},
          "within a layer all codes have one scale, so they rank as their values do");
  }

  const RunConfig& run_;
  Course course_;
  bool understood_ = true;
  Names prunes_, quantizes_;
  std::vector<NullSwitch> claims_;
};

// Everything that a few updates of each phase lead to; "" where so few cannot be trained (a delay
// that is longer, numbers that are not finite): the run itself will say what is wrong.
std::string bits_of(RunConfig run, const Dataset& dataset) {
  constexpr std::int64_t kSteps = 3, kTest = 32;
  run.report.telemetry = 0;
  try {
    const Dataset data = shortened(
        run, dataset,
        {.steps = kSteps, .images = {.train = 2 * run.dataset.batch_size, .test = kTest}});
    Trainer trainer(run, data, {});
    trainer.run();
    return end_bits(trainer, run, data);
  } catch (const ConfigError&) {
    return "";
  } catch (const DivergedError&) {
    return "";
  }
}

}  // namespace

std::string end_bits(Trainer& trainer, const RunConfig& run, const Dataset& dataset) {
  Snapshot arrays = trainer.checkpoint().arrays;
  // A chain's transforms are visited in their order, which is what may differ.
  std::sort(arrays.begin(), arrays.end(),
            [](const NamedArray& a, const NamedArray& b) { return a.name < b.name; });
  Sha256 sha;
  for (const NamedArray& array : arrays) {
    sha.update(std::as_bytes(std::span(array.name)));
    sha.update(array.bytes);
  }
  if (run.integer_refusal().empty())
    sha.update(lower_network(trainer.network(), run, dataset).bytes);
  return hex(sha.digest());
}

std::vector<NullSwitch> null_switches(const RunConfig& run) { return Detector(run).claims(); }

RunConfig with_switch(const RunConfig& run, const std::string& key, const std::string& value) {
  return config::read<RunConfig>(
      config::load_text(config::write(run).dump(), "the run", std::vector{key + "=" + value}));
}

bool check_null_switches(const RunConfig& run, const Dataset& dataset,
                         const std::vector<NullSwitch>& claims) {
  if (claims.empty()) return true;
  const std::string now = bits_of(run, dataset);
  if (now.empty()) return false;
  for (const NullSwitch& claim : claims) {
    for (const std::string& value : claim.values) {
      const RunConfig other = with_switch(run, claim.key, value);
      if (config::write(other) == config::write(run) || bits_of(other, dataset) == now) continue;
      throw VerificationError(fmt::format(
          "{}={} was said to change nothing ({}), and it does. This is a fault of Pare, not of the "
          "config; please report it with the config",
          claim.key, value, claim.why));
    }
  }
  return true;
}

std::string to_text(const NullSwitch& claim) {
  return fmt::format("{}: {} give the same bits, because {}", claim.key,
                     join(claim.values, " and "), claim.why);
}

}  // namespace pare
