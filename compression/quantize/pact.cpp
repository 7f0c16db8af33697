#include "compression/quantize/pact.h"

#include "compression/quantize/fake_quantize.h"
#include "compression/quantize/first_values.h"
#include "compression/quantize/learned_range.h"
#include "framework/base/error.h"

namespace pare {
namespace {

class Pact final : public Quantizer {
 public:
  Pact(const QuantizerConfig& config, QuantizerPlace place)
      : grid_{.format = config.format(), .scales = {}, .zero_points = {}},
        alpha_("pact.alpha", config, place),
        place_(std::move(place)) {
    if (grid_.format.scheme == Scheme::affine) zero_point_ = grid_.format.qmin();
  }

  Traits traits() const override {
    return {.has_zero = true, .idempotent = true, .deterministic = true};
  }

  void observe(const Tensor& x, const Pass& pass) override {
    if (first_.add(x, -1, pass, ready())) alpha_.set_sizes({first_.sums()[0].largest});
  }
  bool stateless() const override { return false; }
  bool ready() const override { return alpha_.ready(); }

  Variable quantize(const Variable& x, const Pass& pass) override {
    Tensor y;
    {
      const NoGradient no_gradient;
      y = fake_quantize(x, current(), -1).value();
    }
    const auto bound = static_cast<float>(alpha_[0]);
    const PassRange inside{grid_.format.scheme == Scheme::affine ? 0.0f : -bound, bound};
    return with_learned_range(x, std::move(y), alpha_.parameter().value(pass), {inside}, -1,
                              SizeGradient::clip, 1);
  }

  Grid grid() const override { return current(); }
  GridCodes codes(const Tensor& x) const override { return codes_of(x, current(), -1); }

  void visit_parameters(const ParameterVisitor& visit) override { visit(alpha_.parameter()); }
  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    alpha_.visit_state(prefix, visitor);
  }

 private:
  // Of the present bound, in the memory of the last one.
  const Grid& current() const {
    PARE_ENSURE(ready());
    grid_.scales.clear();
    grid_.zero_points.clear();
    append_scale(grid_, alpha_[0] / (grid_.format.qmax() - zero_point_), zero_point_, place_.where);
    return grid_;
  }

  mutable Grid grid_;  // as current() left it
  LearnedSize alpha_;
  FirstValues first_;
  QuantizerPlace place_;
  std::int32_t zero_point_ = 0;
};

}  // namespace

std::unique_ptr<Quantizer> make_pact(const QuantizerConfig& config, QuantizerPlace place) {
  return std::make_unique<Pact>(config, std::move(place));
}

}  // namespace pare
