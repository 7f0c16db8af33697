#include "compression/quantize/uniform.h"

#include "compression/quantize/fake_quantize.h"
#include "framework/base/error.h"

namespace pare {
namespace {

class Uniform final : public Quantizer {
 public:
  Uniform(const QuantizerConfig& config, std::string where, int axis)
      : format_(config.format()),
        observer_(make_observer({config.observer, config.decay})),
        where_(std::move(where)),
        axis_(axis) {}

  Traits traits() const override {
    return {.has_zero = true, .idempotent = true, .deterministic = true};
  }
  void observe(const Tensor& x) override {
    observer_->observe(x, axis_);
    grid_.scales.clear();
  }
  bool stateless() const override { return observer_->stateless(); }
  bool ready() const override { return !observer_->ranges().empty(); }

  Variable quantize(const Variable& x) override { return fake_quantize(x, current(), axis_); }
  Grid grid() const override { return current(); }

  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    observer_->visit_state(prefix, visitor);
    grid_.scales.clear();
  }

 private:
  // Made anew only after an observation.
  const Grid& current() const {
    PARE_ENSURE(ready());
    if (grid_.scales.empty()) {
      grid_ = {.format = format_, .scales = {}, .zero_points = {}};
      for (const Range& range : observer_->ranges()) append_channel(grid_, range, where_);
    }
    return grid_;
  }

  GridFormat format_;
  std::unique_ptr<Observer> observer_;
  std::string where_;
  int axis_;
  mutable Grid grid_;
};

}  // namespace

std::unique_ptr<Quantizer> make_uniform(const QuantizerConfig& config, std::string where,
                                        int axis) {
  return std::make_unique<Uniform>(config, std::move(where), axis);
}

}  // namespace pare
