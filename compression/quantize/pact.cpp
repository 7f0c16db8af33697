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
      : format_(config.format()), alpha_("pact.alpha", config, place), place_(std::move(place)) {
    if (format_.scheme == Scheme::affine) zero_point_ = format_.qmin();
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
    const Grid now = grid();
    Tensor y;
    {
      const NoGradient no_gradient;
      y = fake_quantize(x, now, -1).value();
    }
    const auto bound = static_cast<float>(alpha_[0]);
    const PassRange inside{format_.scheme == Scheme::affine ? 0.0f : -bound, bound};
    return with_learned_range(x, std::move(y), alpha_.parameter().value(pass), {inside}, -1,
                              SizeGradient::clip, 1);
  }

  Grid grid() const override {
    PARE_ENSURE(ready());
    Grid grid{.format = format_, .scales = {}, .zero_points = {}};
    append_scale(grid, alpha_[0] / (format_.qmax() - zero_point_), zero_point_, place_.where);
    return grid;
  }
  GridCodes codes(const Tensor& x) const override { return codes_of(x, grid(), -1); }

  void visit_parameters(const ParameterVisitor& visit) override { visit(alpha_.parameter()); }
  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    alpha_.visit_state(prefix, visitor);
  }

 private:
  GridFormat format_;
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
