#include "compression/quantize/dynamic_range.h"

#include "compression/quantize/fake_quantize.h"
#include "compression/quantize/observer.h"
#include "framework/base/error.h"

namespace pare {
namespace {

constexpr int kImages = 0;  // the axis

class DynamicRange final : public Quantizer {
 public:
  DynamicRange(const QuantizerConfig& config, QuantizerPlace place)
      : format_(config.format()), place_(std::move(place)) {}

  Traits traits() const override {
    return {.has_zero = true, .idempotent = false, .deterministic = true};
  }
  void observe(const Tensor&, const Pass&) override {}
  bool stateless() const override { return true; }
  bool ready() const override { return true; }

  Variable quantize(const Variable& x, const Pass&) override {
    return fake_quantize(x, grid_of(x.value()), kImages);
  }
  Grid grid() const override {
    PARE_ENSURE(!"a range that is found at run time is no grid");
    return {};
  }
  GridCodes codes(const Tensor& x) const override { return codes_of(x, grid_of(x), kImages); }
  void visit_state(const std::string&, StateVisitor&) override {}

 private:
  // One channel an image.
  Grid grid_of(const Tensor& x) const {
    Grid grid{.format = format_, .scales = {}, .zero_points = {}};
    for (const Range& range : channel_ranges(x, kImages)) append_channel(grid, range, place_.where);
    return grid;
  }

  GridFormat format_;
  QuantizerPlace place_;
};

}  // namespace

std::unique_ptr<Quantizer> make_dynamic_range(const QuantizerConfig& config, QuantizerPlace place) {
  return std::make_unique<DynamicRange>(config, std::move(place));
}

}  // namespace pare
