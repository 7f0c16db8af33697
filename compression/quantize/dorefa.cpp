#include "compression/quantize/dorefa.h"

#include <algorithm>
#include <cmath>

#include "compression/quantize/fake_quantize.h"
#include "compression/quantize/learned_range.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/tensor/step_vector.h"

namespace pare {
namespace {

constexpr std::int64_t kTile = 1 << 13;

class DorefaWeights final : public Quantizer {
 public:
  DorefaWeights(const QuantizerConfig& config, QuantizerPlace place)
      : format_(config.format()), place_(std::move(place)) {
    format_.scheme = Scheme::symmetric;
  }

  Traits traits() const override {
    return {.has_zero = false, .idempotent = false, .deterministic = true};
  }
  void observe(const Tensor& x, const Pass&) override {
    largest_ = std::tanh(channel_magnitudes(x, -1)[0].largest);
    if (largest_ == 0) largest_ = 1;
  }
  bool stateless() const override { return true; }
  bool ready() const override { return largest_ > 0; }

  Variable quantize(const Variable& x, const Pass&) override {
    const Tensor& values = x.value();
    Tensor y(values.shape());
    float* to = y.mutable_data();
    const Grid now = grid();
    StepVector<double> bent(static_cast<std::size_t>(values.size()));  // tanh(w), for both passes
    parallel_tiles(values.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        double& t = bent[static_cast<std::size_t>(i)];
        t = std::tanh(static_cast<double>(values.data()[i]));
        to[i] = to_real(code(t), 0, now.scales[0]);
      }
    });
    return record("dorefa_weights", std::move(y), {x},
                  [bent = std::move(bent), largest = largest_](const Tensor& dy,
                                                               Gradients& gradients) {
                    const GradientSlot dx = gradients.slot(0);
                    parallel_tiles(dy.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t i = begin; i < end; ++i) {
                        const double t = bent[static_cast<std::size_t>(i)];
                        const auto g = static_cast<float>(static_cast<double>(dy.data()[i]) *
                                                          (1 - t * t) / largest);
                        dx.data[i] = dx.beta == 0 ? g : dx.data[i] + g;
                      }
                    });
                  });
  }

  Grid grid() const override {
    PARE_ENSURE(ready());
    Grid grid{.format = format_, .scales = {}, .zero_points = {}};
    append_scale(grid, 1.0 / steps(), 0, place_.where);
    for (int level = -steps(); level <= steps(); level += 2) {
      grid.levels.push_back(static_cast<std::int16_t>(level));
    }
    return grid;
  }
  GridCodes codes(const Tensor& x) const override {
    GridCodes result(static_cast<std::size_t>(x.size()));
    for (std::int64_t i = 0; i < x.size(); ++i) {
      result[static_cast<std::size_t>(i)] =
          static_cast<std::int16_t>(code(std::tanh(static_cast<double>(x.data()[i]))));
    }
    return result;
  }
  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    visitor.real(prefix + "/largest", largest_);
  }

 private:
  int steps() const { return (1 << format_.bits) - 1; }
  std::int32_t code(double bent) const {
    const double r = bent / (2 * largest_) + 0.5;
    const int index = static_cast<int>(std::floor(steps() * r + 0.5));
    return 2 * std::clamp(index, 0, steps()) - steps();
  }

  GridFormat format_;
  QuantizerPlace place_;
  double largest_ = 0;  // max |tanh(w)|
};

class DorefaActivations final : public Quantizer {
 public:
  DorefaActivations(const QuantizerConfig& config, const QuantizerPlace& place) {
    grid_.format = config.format();
    const bool affine = grid_.format.scheme == Scheme::affine;
    const std::int32_t zero_point = affine ? grid_.format.qmin() : 0;
    append_scale(grid_, 1.0 / (grid_.format.qmax() - zero_point), zero_point, place.where);
  }

  Traits traits() const override {
    return {.has_zero = true, .idempotent = true, .deterministic = true};
  }
  void observe(const Tensor&, const Pass&) override {}
  bool stateless() const override { return true; }
  bool ready() const override { return true; }
  Variable quantize(const Variable& x, const Pass&) override { return fake_quantize(x, grid_, -1); }
  Grid grid() const override { return grid_; }
  GridCodes codes(const Tensor& x) const override { return codes_of(x, grid_, -1); }
  void visit_state(const std::string&, StateVisitor&) override {}

 private:
  Grid grid_;
};

}  // namespace

std::unique_ptr<Quantizer> make_dorefa(const QuantizerConfig& config, QuantizerPlace place) {
  if (place.use == QuantizerPlace::Use::activations)
    return std::make_unique<DorefaActivations>(config, place);
  return std::make_unique<DorefaWeights>(config, std::move(place));
}

}  // namespace pare
