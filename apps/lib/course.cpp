#include "apps/lib/course.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/text.h"
#include "framework/config/object.h"

namespace pare {
namespace {

using Names = std::vector<std::string>;

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Follows the phases and keeps the list of what is attached; complains about what makes no sense.
class Course {
 public:
  Course(const RunConfig& run, const config::Object& o) : run_(run), o_(o) {
    for (const auto& [name, method] : run.compression) known_.push_back(name);
  }

  void phase(std::size_t i) {
    const PhaseConfig& phase = run_.phases[i];
    const std::string path = fmt::format("phases[{}]", i);
    first_ = i == 0;
    if (contains(phases_, phase.name)) {
      o_.fail(path + ".name", fmt::format("the name '{}' is taken; names must differ", phase.name));
    }
    phases_.push_back(phase.name);
    for (std::size_t k = 0; k < phase.release.size(); ++k) {
      release(phase.release[k], fmt::format("{}.release[{}]", path, k));
    }
    const Names earlier = attached_;
    bool acts = false;  // without an update
    for (std::size_t k = 0; k < phase.apply.size(); ++k) {
      const std::string where = fmt::format("{}.apply[{}]", path, k);
      apply(phase.apply[k], where);
      acts = acts || is<QuantizeConfig>(phase.apply[k]) || is<DynamicConfig>(phase.apply[k]) ||
             rewrites(phase.apply[k]);
      if (phase.calibrates() && is<PruneConfig>(phase.apply[k])) {
        o_.fail(where, "a phase of 0 epochs has no updates in which to prune; give it some");
      }
      if (is<DistillConfig>(phase.apply[k])) require_teacher(phase, phase.apply[k], where);
      if (is<AutoConfig>(phase.apply[k])) require_trials(phase, phase.apply[k], where);
      if (!phase.calibrates()) require_no_calibration(phase.apply[k], where);
    }
    require_masks(phase, earlier, path);
    for (const std::string& name : phase.apply) {
      require_early_weights(name);
      if (phase.continues) require_fresh_start(name, path);
    }
    for (const std::string& name : attached_) require_tiles(name);
    if (phase.calibrates() && !acts) {
      o_.fail(
          path,
          "a phase of 0 epochs only calibrates; expected it to apply a method of kind quantize, "
          "or epochs above 0");
    }
  }

 private:
  void require_no_calibration(const std::string& name, const std::string& where) {
    if (!contains(known_, name)) return;
    const auto* quantize = std::get_if<QuantizeConfig>(&run_.method(name).options);
    const std::string key = quantize ? quantize->acts_on_calibration() : "";
    if (key.empty()) return;
    o_.fail(where, fmt::format("compression.{}.{} belongs to a calibration; expected a phase of 0 "
                               "epochs to apply '{}'",
                               name, key, name));
  }

  void apply(const std::string& name, const std::string& where) {
    if (!contains(known_, name)) {
      o_.fail(where, fmt::format("expected a name from 'compression' ({}), got '{}'{}",
                                 known_.empty() ? "it is empty" : join(known_, ", "), name,
                                 suggestion(name, known_)));
    }
    if (contains(attached_, name)) {
      o_.fail(
          where,
          fmt::format("'{}' is on already: a method stays on in later phases until it is released",
                      name));
    }
    attached_.push_back(name);
    if (!run_.method(name).rewrites()) return;
    if (!first_) rewritten_.push_back(name);
    if (resizes(name)) resized_.push_back(name);
  }

  // Shapes that nobody knows before training.
  bool resizes(const std::string& name) const {
    const auto* factors = std::get_if<FactorizeConfig>(&run_.method(name).options);
    return is<ShrinkConfig>(name) || (factors && factors->energy);
  }

  // Rewinding gives layers of the first phase their weights back.
  void require_early_weights(const std::string& name) const {
    const auto* prune = std::get_if<PruneConfig>(&run_.method(name).options);
    if (!prune || !prune->rewind || rewritten_.empty()) return;
    o_.fail("compression." + name + ".rewind",
            fmt::format("'{}' puts other layers in place, which the early weights do not fit; "
                        "expected it in a later phase than '{}', or in the first one",
                        rewritten_.back(), name));
  }

  // Rewinding begins with the phase, and takes a fresh optimizer.
  void require_fresh_start(const std::string& name, const std::string& path) const {
    const auto* prune = std::get_if<PruneConfig>(&run_.method(name).options);
    if (!prune || !prune->rewind) return;
    o_.fail(path + ".continue",
            fmt::format("'{}' begins this phase with early weights and a fresh optimizer, so that "
                        "nothing goes on; take one of the two out",
                        name));
  }

  // Masks come with the updates of a phase, when what shrinks at its start has passed.
  void require_masks(const PhaseConfig& phase, const Names& earlier,
                     const std::string& path) const {
    const auto masks = [&](const std::string& name) {
      return is<PruneConfig>(name) || is<AutoConfig>(name);
    };
    const auto late = std::find_if(phase.apply.begin(), phase.apply.end(), masks);
    if (late == phase.apply.end() || std::any_of(earlier.begin(), earlier.end(), masks)) return;
    for (std::size_t k = 0; k < phase.apply.size(); ++k) {
      if (!is<ShrinkConfig>(phase.apply[k])) continue;
      o_.fail(fmt::format("{}.apply[{}]", path, k),
              fmt::format("'{0}' takes out what is masked when its phase begins, and '{1}' masks "
                          "in the updates of the same phase; expected '{0}' in a later phase",
                          phase.apply[k], *late));
    }
  }

  // Blocks and patterns divide their layers.
  void require_tiles(const std::string& name) const {
    const auto* prune = std::get_if<PruneConfig>(&run_.method(name).options);
    if (!prune || resized_.empty()) return;
    const bool pattern = prune->granularity == PruneGranularity::n_m;
    if (!pattern && prune->granularity != PruneGranularity::block) return;
    o_.fail("compression." + name + ".granularity",
            fmt::format("what '{}' leaves of a layer is not known before training, and may be no "
                        "multiple of {}; expected another granularity, or '{}' released before",
                        resized_.back(), pattern ? "pattern" : "block_size", name));
  }

  void release(const std::string& name, const std::string& where) {
    if (!contains(attached_, name)) {
      o_.fail(where, fmt::format("expected the name of a method that is on ({}), got '{}'{}",
                                 attached_.empty() ? "none is" : join(attached_, ", "), name,
                                 suggestion(name, attached_)));
    }
    if (rewrites(name)) {
      o_.fail(where,
              fmt::format("what '{}' did to the network's nodes stays; take the name out", name));
    }
    std::erase(attached_, name);
  }

  bool rewrites(const std::string& name) const {
    return contains(known_, name) && run_.method(name).rewrites();
  }

  template <class Config>
  bool is(const std::string& name) const {
    return contains(known_, name) && std::holds_alternative<Config>(run_.method(name).options);
  }

  // What a search needs: images to measure on, updates to train with, and an integer form to count.
  void require_trials(const PhaseConfig& phase, const std::string& name,
                      const std::string& where) const {
    if (phase.calibrates()) {
      o_.fail(where,
              "a phase of 0 epochs has no updates for what the search decides; give it some");
    }
    if (run_.dataset.validation == 0) {
      o_.fail(where, fmt::format("'{}' measures on validation images; expected dataset.validation "
                                 "above 0",
                                 name));
    }
    if (run_.report.integer == ReportConfig::Integer::none)
      o_.fail("report.integer", fmt::format("'{}' needs an integer form; expected \"ptq\"", name));
  }

  // A teacher that is a phase's network must be there when the phase at hand begins.
  void require_teacher(const PhaseConfig& phase, const std::string& name,
                       const std::string& where) const {
    if (phase.calibrates()) {
      o_.fail(where, "a phase of 0 epochs has no updates in which to learn; give it some");
    }
    const auto& teacher = std::get<DistillConfig>(run_.method(name).options).teacher.phase;
    const Names before(phases_.begin(), phases_.end() - 1);
    if (!teacher || contains(before, *teacher)) return;
    const bool later =
        std::any_of(run_.phases.begin(), run_.phases.end(),
                    [&](const PhaseConfig& other) { return other.name == *teacher; });
    const std::string found = before.empty() ? "there is none" : join(before, ", ");
    o_.fail("compression." + name + ".teacher.phase",
            later ? fmt::format("'{}' ends later than phase '{}' begins, which learns from it; "
                                "expected an earlier phase ({})",
                                *teacher, phase.name, found)
                  : fmt::format("expected the name of a phase before '{}' ({}), got '{}'{}",
                                phase.name, found, *teacher, suggestion(*teacher, before)));
  }

  const RunConfig& run_;
  const config::Object& o_;
  Names known_, attached_, phases_;
  Names rewritten_,
      resized_;        // methods that have changed layers, behind the first phase and at all
  bool first_ = true;  // the phase at hand is the first one
};

}  // namespace

void check_course(const RunConfig& run, const config::Object& o) {
  Course course(run, o);
  for (std::size_t i = 0; i < run.phases.size(); ++i) course.phase(i);
}

}  // namespace pare
