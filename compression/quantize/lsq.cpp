#include "compression/quantize/lsq.h"

#include <cmath>

#include "compression/quantize/fake_quantize.h"
#include "compression/quantize/first_values.h"
#include "compression/quantize/learned_range.h"
#include "framework/base/error.h"

namespace pare {
namespace {

class Lsq final : public Quantizer {
 public:
  Lsq(const QuantizerConfig& config, QuantizerPlace place)
      : grid_{.format = config.format(), .scales = {}, .zero_points = {}},
        step_("lsq.step", config, place),
        place_(std::move(place)) {
    GridFormat& format = grid_.format;
    format.lowest = format.scheme == Scheme::symmetric && format.bits < 8;
    if (format.scheme == Scheme::affine) zero_point_ = format.qmin();
  }

  Traits traits() const override {
    return {.has_zero = true, .idempotent = true, .deterministic = true};
  }

  // Only what it begins with is observed.
  void observe(const Tensor& x, const Pass& pass) override {
    if (!first_.add(x, place_.axis, pass, ready())) return;
    std::vector<double> steps;
    for (const ChannelSums& sums : first_.sums()) {
      const double mean = weights() ? sums.mean_without_zeros() : sums.mean();
      steps.push_back(2 * mean / std::sqrt(largest()));
    }
    step_.set_sizes(steps);
  }
  bool stateless() const override { return false; }
  bool ready() const override { return step_.ready(); }

  Variable quantize(const Variable& x, const Pass& pass) override {
    const Grid& now = current();
    Tensor y;
    {
      const NoGradient no_gradient;
      y = fake_quantize(x, now, place_.axis).value();
    }
    StepVector<PassRange> inside;
    inside.reserve(now.scales.size());
    for (const float scale : now.scales) {
      inside.push_back({to_real(now.format.qmin(), zero_point_, scale),
                        to_real(now.format.qmax(), zero_point_, scale)});
    }
    return with_learned_range(x, std::move(y), step_.parameter().value(pass), std::move(inside),
                              place_.axis, SizeGradient::step, 1 / std::sqrt(count(x) * largest()));
  }

  Grid grid() const override { return current(); }
  GridCodes codes(const Tensor& x) const override { return codes_of(x, current(), place_.axis); }

  void visit_parameters(const ParameterVisitor& visit) override { visit(step_.parameter()); }
  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    step_.visit_state(prefix, visitor);
  }

 private:
  bool weights() const { return place_.use == QuantizerPlace::Use::weights; }
  double largest() const { return grid_.format.qmax() - zero_point_; }  // Qp
  double count(const Variable& x) const {
    const std::int64_t all = x.shape().size() / place_.channels;
    return static_cast<double>(weights() ? all : all / x.shape()[0]);
  }

  // Of the present step, in the memory of the last one.
  const Grid& current() const {
    PARE_ENSURE(ready());
    grid_.scales.clear();
    grid_.zero_points.clear();
    for (std::int64_t c = 0; c < place_.channels; ++c) {
      append_scale(grid_, step_[static_cast<std::size_t>(c)], zero_point_, place_.where);
    }
    return grid_;
  }

  mutable Grid grid_;  // as current() left it
  LearnedSize step_;
  FirstValues first_;
  QuantizerPlace place_;
  std::int32_t zero_point_ = 0;
};

}  // namespace

std::unique_ptr<Quantizer> make_lsq(const QuantizerConfig& config, QuantizerPlace place) {
  return std::make_unique<Lsq>(config, std::move(place));
}

}  // namespace pare
