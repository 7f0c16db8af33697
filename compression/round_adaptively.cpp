#include <algorithm>
#include <cmath>

#include "compression/after_calibration.h"
#include "compression/quantize/weight_quantizer.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/config/object.h"
#include "layers/weighted.h"

namespace pare {
namespace {

constexpr std::int64_t kRows = 32;               // images of one iteration
constexpr double kWarmUp = 0.2;                  // share of the iterations without the regulariser
constexpr double kStretch = 1.2, kShift = -0.1;  // of the rectified sigmoid
constexpr std::int64_t kTile = 1 << 13;

// h(V) and its derivative.
struct Choice {
  double h, slope;
};
Choice choice_of(float v) {
  const double sigmoid = 1 / (1 + std::exp(-static_cast<double>(v)));
  const double h = kStretch * sigmoid + kShift;
  const bool free = h > 0 && h < 1;
  return {std::clamp(h, 0.0, 1.0), free ? kStretch * sigmoid * (1 - sigmoid) : 0};
}

// The weight with a soft choice between the two codes around each of its values.
class SoftRounding final : public Transform {
 public:
  SoftRounding(const Tensor& weight, Grid grid, int axis)
      : grid_(std::move(grid)),
        view_(channel_view(weight.shape(), axis)),
        floors_(static_cast<std::size_t>(weight.size())),
        made_(static_cast<std::size_t>(weight.size())),
        choices_("adaround.choice", Shape{weight.size()}, 0, false) {
    float* v = choices_.latent().mutable_data();
    for (std::int64_t i = 0; i < weight.size(); ++i) {
      const double position = static_cast<double>(weight.data()[i]) / scale(i);
      const double below = std::floor(position);
      floors_[static_cast<std::size_t>(i)] = below;
      const double share = std::clamp(position - below, 0.01, 0.99);
      const double sigmoid = (share - kShift) / kStretch;
      v[i] = static_cast<float>(std::log(sigmoid / (1 - sigmoid)));
    }
  }

  std::string_view kind() const override { return "adaround"; }
  void visit_state(const std::string&, StateVisitor&) override {}

  Variable apply(const Variable& value, const Pass& pass) override {
    const Tensor& x = value.value();
    Tensor y(x.shape());
    float* to = y.mutable_data();
    const float* v = choices_.latent().data();
    parallel_tiles(x.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        Choice& c = made_[static_cast<std::size_t>(i)];
        c = choice_of(v[i]);
        to[i] = x.data()[i] == 0 ? 0.0f : static_cast<float>(clamped(i, c.h) * scale(i));
      }
    });
    return record("soft_rounding", std::move(y), {choices_.value(pass)},
                  [this, x](const Tensor& dy, Gradients& gradients) {
                    const GradientSlot dv = gradients.slot(0);
                    parallel_tiles(x.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t i = begin; i < end; ++i) {
                        const Choice& c = made_[static_cast<std::size_t>(i)];
                        const bool free = x.data()[i] != 0 && clamped(i, c.h) == at(i, c.h);
                        const double g = static_cast<double>(dy.data()[i]) * scale(i) * c.slope;
                        dv.data[i] = (dv.beta == 0 ? 0.0f : dv.data[i]) +
                                     (free ? static_cast<float>(g) : 0.0f);
                      }
                    });
                  });
  }

  Parameter& choices() { return choices_; }
  // Of the last forward pass.
  const Choice& made(std::int64_t i) const { return made_[static_cast<std::size_t>(i)]; }
  // The value of element i once its choice is made.
  float decided(std::int64_t i) const {
    const bool up = choice_of(choices_.latent().data()[i]).h >= 0.5;
    return static_cast<float>(clamped(i, up ? 1 : 0)) * static_cast<float>(scale(i));
  }

 private:
  std::size_t channel(std::int64_t i) const {
    return static_cast<std::size_t>(i / view_.inner % view_.channels);
  }
  double scale(std::int64_t i) const { return grid_.scales[channel(i)]; }
  double at(std::int64_t i, double h) const { return floors_[static_cast<std::size_t>(i)] + h; }
  double clamped(std::int64_t i, double h) const {
    const std::int32_t z = grid_.zero_points[channel(i)];
    return std::clamp<double>(at(i, h), grid_.format.qmin() - z, grid_.format.qmax() - z);
  }

  Grid grid_;
  ChannelView view_;
  std::vector<double> floors_;
  std::vector<Choice> made_;
  Parameter choices_;
};

// sum over channels, mean over the rest, of (y - target)^2: its gradient is all that is wanted.
Variable reconstruction(const Variable& y, const Tensor& target) {
  Tensor loss(Shape{1});
  loss.mutable_data()[0] = 0;
  return record("reconstruction", std::move(loss), {y},
                [out = y.value(), target](const Tensor&, Gradients& gradients) {
                  const GradientSlot slot = gradients.slot(0);
                  const double rows = static_cast<double>(out.size() / out.shape()[-1]);
                  for (std::int64_t i = 0; i < out.size(); ++i) {
                    const auto g = static_cast<float>(
                        2 * (static_cast<double>(out.data()[i]) - target.data()[i]) / rows);
                    slot.data[i] = slot.beta == 0 ? g : slot.data[i] + g;
                  }
                });
}

// Adam (beta1 0.9, beta2 0.999) on the choices, with the regulariser's gradient.
class ChoiceOptimizer {
 public:
  explicit ChoiceOptimizer(std::int64_t size)
      : first_(static_cast<std::size_t>(size), 0), second_(static_cast<std::size_t>(size), 0) {}

  // Behind a forward and a backward pass of `soft`.
  void step(SoftRounding& soft, double lambda, double beta, double rate) {
    ++steps_;
    Parameter& choices = soft.choices();
    const Tensor gradient = choices.grad();
    choices.release();
    float* v = choices.latent().mutable_data();
    const double unbias1 = 1 - std::pow(0.9, steps_), unbias2 = 1 - std::pow(0.999, steps_);
    parallel_tiles(std::ssize(first_), kTile, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t k = begin; k < end; ++k) {
        const auto i = static_cast<std::size_t>(k);
        double g = gradient.data()[i];
        if (lambda > 0) g += pull(soft.made(k), lambda, beta);
        first_[i] = 0.9 * first_[i] + 0.1 * g;
        second_[i] = 0.999 * second_[i] + 0.001 * g * g;
        v[i] -= static_cast<float>(rate * (first_[i] / unbias1) /
                                   (std::sqrt(second_[i] / unbias2) + 1e-8));
      }
    });
  }

 private:
  // lambda d(1 - |2h - 1|^beta) / dv = -2 lambda beta |2h - 1|^(beta-1) sign(2h - 1) dh / dv. After
  // a while most choices are made and have no slope.
  static double pull(const Choice& c, double lambda, double beta) {
    if (c.slope == 0) return 0;
    const double edge = 2 * c.h - 1;
    const double of_h = -2 * beta * std::pow(std::fabs(edge), beta - 1) * (edge < 0 ? -1 : 1);
    return lambda * of_h * c.slope;
  }

  std::vector<double> first_, second_;
  int steps_ = 0;
};

// What a layer reads in the quantized network, and the images' number.
std::vector<Tensor> inputs_of(Network& network, const NetworkNode& node, const ShowImages& show) {
  std::vector<Tensor> inputs;
  show([&](const Tensor& images) {
    network.forward(Variable(images), Pass::begin(Pass::Mode::evaluate, 0, 0),
                    [&](const std::string& name, const Variable& value) {
                      if (name == node.inputs[0]) inputs.push_back(value.value().clone());
                    });
  });
  network.release();
  return inputs;
}

// At most kRows rows of the batch that iteration `k` looks at.
Tensor rows_of(const std::vector<Tensor>& batches, std::int64_t k) {
  const Tensor& batch = batches[static_cast<std::size_t>(k) % batches.size()];
  const std::int64_t row = batch.size() / batch.shape()[0];
  const std::int64_t count = std::min(kRows, batch.shape()[0]);
  const std::int64_t places = batch.shape()[0] / count;
  const std::int64_t first = k / std::ssize(batches) % places * count;
  Shape shape{count};
  for (int axis = 1; axis < batch.shape().rank(); ++axis) shape.append(batch.shape()[axis]);
  Tensor rows(shape);
  std::copy_n(batch.data() + first * row, count * row, rows.mutable_data());
  return rows;
}

void round_layer(Weighted& layer, WeightQuantizer& quantizer, const std::vector<Tensor>& inputs,
                 const AdaRoundConfig& config) {
  const auto forward = [&](const Tensor& x) {
    const Variable input[] = {Variable(x)};
    return layer.forward(input, Pass::begin(Pass::Mode::evaluate, 0, 0));
  };
  Parameter& weight = layer.weight();
  const Grid grid = quantizer.quantizer().grid();
  quantizer.switch_on(false);
  weight.release();
  Tensor masked;
  {
    const NoGradient no_gradient;
    masked = weight.value(Pass::begin(Pass::Mode::evaluate, 0, 0)).value().clone();
  }
  auto made = std::make_unique<SoftRounding>(masked, grid,
                                             grid.channels() == 1 ? -1 : weight.channel_axis());
  SoftRounding& soft = *made;
  ChoiceOptimizer optimizer(masked.size());
  for (std::int64_t k = 0; k < config.iterations; ++k) {
    const Tensor x = rows_of(inputs, k);
    Tensor target;
    {
      const NoGradient no_gradient;
      target = forward(x).value().clone();
      weight.release();
    }
    weight.insert(weight.chain().size(), std::move(made));
    backward(reconstruction(forward(x), target));
    weight.release();
    const double done = static_cast<double>(k) / static_cast<double>(config.iterations);
    const double beta = 20 - 18 * std::max(0.0, (done - kWarmUp) / (1 - kWarmUp));
    optimizer.step(soft, done < kWarmUp ? 0 : config.lambda, beta, config.learning_rate);
    if (Parameter* bias = layer.bias()) bias->release();
    made.reset(static_cast<SoftRounding*>(weight.remove("adaround").release()));
  }
  weight.release();
  float* latent = weight.latent().mutable_data();
  for (std::int64_t i = 0; i < masked.size(); ++i) {
    if (masked.data()[i] != 0) latent[i] = soft.decided(i);
  }
  quantizer.switch_on(true);
  quantizer.fix();
}

}  // namespace

void AdaRoundConfig::describe(config::Object& o) {
  o.integer("iterations", iterations, {.min = 1}, "per layer");
  o.real("learning_rate", learning_rate, {.above = 0}, "of the choices");
  o.real("lambda", lambda, {.min = 0}, "of what makes choices whole");
}

Latents round_adaptively(Network& network, const std::vector<Parameter*>& weights,
                         const AdaRoundConfig& config, const ShowImages& show) {
  Latents before;
  for (const NetworkNode& node : network.nodes()) {
    auto* layer = dynamic_cast<Weighted*>(node.module.get());
    if (!layer || std::find(weights.begin(), weights.end(), &layer->weight()) == weights.end())
      continue;
    auto* quantizer = dynamic_cast<WeightQuantizer*>(layer->weight().find(kWeightQuantizer));
    if (!quantizer || quantizer->config().quantizer != "uniform") continue;
    before.emplace(&layer->weight(), layer->weight().latent().clone());
    std::vector<Tensor> inputs;
    {
      const NoGradient no_gradient;
      inputs = inputs_of(network, node, show);
    }
    round_layer(*layer, *quantizer, inputs, config);
    network.release();
  }
  return before;
}

}  // namespace pare
