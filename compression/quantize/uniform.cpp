#include "compression/quantize/uniform.h"

#include "compression/quantize/clip_search.h"
#include "compression/quantize/fake_quantize.h"
#include "compression/quantize/rounding.h"
#include "framework/base/error.h"
#include "framework/state_list.h"

namespace pare {
namespace {

ObserverOptions observer_options(const QuantizerConfig& config, const QuantizerPlace& place) {
  return {.kind = config.observer,
          .decay = config.decay,
          .p = config.p,
          .format = config.format(),
          .of_weights = place.use == QuantizerPlace::Use::weights};
}

class Uniform final : public Quantizer {
 public:
  Uniform(const QuantizerConfig& config, QuantizerPlace place)
      : rounding_(config.rounding),
        options_(observer_options(config, place)),
        observer_(make_observer(options_)),
        place_(std::move(place)),
        grid_{.format = config.format(), .scales = {}, .zero_points = {}} {}

  Traits traits() const override {
    return {.has_zero = true,
            .idempotent = true,
            .deterministic = rounding_ != RoundingMode::stochastic};
  }
  // Of those that count values.
  void leave_zeros_out() {
    if (options_.kind == "percentile") observer_ = make_percentile_of_survivors(options_);
  }
  void observe(const Tensor& x, const Pass& pass) override {
    observer_->observe(x, place_.axis, pass);
    grid_.scales.clear();
  }
  bool stateless() const override { return observer_->stateless(); }
  bool ready() const override { return !observer_->ranges().empty(); }

  Variable quantize(const Variable& x, const Pass& pass) override {
    if (rounding_ == RoundingMode::nearest) return fake_quantize(x, current(), place_.axis);
    return fake_quantize_rounded(x, current(), place_.axis, rounding_, place_.where, pass);
  }
  Grid grid() const override { return current(); }
  GridCodes codes(const Tensor& x) const override {
    return codes_rounded(x, current(), place_.axis, rounding_);
  }

  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    observer_->visit_state(prefix, visitor);
    require_none_or(prefix + "/range", observer_->ranges().size(), place_.channels);
    grid_.scales.clear();
  }

 private:
  // Made anew only after an observation.
  const Grid& current() const {
    PARE_ENSURE(ready());
    if (grid_.scales.empty()) {
      grid_.zero_points.clear();  // the memory stays
      for (const Range& range : observer_->ranges()) append_channel(grid_, range, place_.where);
    }
    return grid_;
  }

  RoundingMode rounding_;
  ObserverOptions options_;
  std::unique_ptr<Observer> observer_;
  QuantizerPlace place_;
  mutable Grid grid_;  // without scales: to be made anew
};

}  // namespace

std::unique_ptr<Quantizer> make_uniform(const QuantizerConfig& config, QuantizerPlace place) {
  return std::make_unique<Uniform>(config, std::move(place));
}

void leave_zeros_out(Quantizer& quantizer) {
  if (auto* uniform = dynamic_cast<Uniform*>(&quantizer)) uniform->leave_zeros_out();
}

}  // namespace pare
