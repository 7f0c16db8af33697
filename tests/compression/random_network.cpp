#include "tests/compression/random_network.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "compression/attach.h"
#include "compression/groups.h"
#include "compression/prune/target.h"
#include "compression/quantize/activation_quantizer.h"
#include "compression/sign_edges.h"
#include "framework/base/error.h"
#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/pool.h"
#include "layers/shape_layers.h"
#include "layers/weighted.h"

namespace pare {
namespace {

class Generator {
 public:
  Generator(std::uint64_t seed, Drawn& drawn)
      : seed_(seed), random_(seed, Stream::test), drawn_(drawn) {}

  RandomNetwork make() {
    Network network({between(5, 12), between(5, 12), between(1, 4)});
    const auto blocks = between(1, 4);
    for (std::int64_t b = 0; b < blocks; ++b) image_block(network);
    head(network);
    network.initialize(seed_);
    disturb(network);
    return quantized(std::move(network));
  }

 private:
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + random_.below(static_cast<std::uint32_t>(high - low + 1));
  }
  bool chance(int percent) { return random_.below(100) < static_cast<std::uint32_t>(percent); }
  void count(const std::string& what) { ++drawn_[what]; }

  // Adds a node that reads `last_` and becomes it.
  void add(Network& network, std::unique_ptr<Module> module, std::vector<std::string> inputs = {}) {
    count(std::string(module->kind()));
    const std::string name = "n" + std::to_string(next_++);
    if (inputs.empty()) inputs = {last_};
    network.add(name, std::move(inputs), std::move(module));
    last_ = name;
  }

  Extent kernel_for(const Shape& in) {
    return {between(1, std::min<std::int64_t>(4, in[1])),
            between(1, std::min<std::int64_t>(4, in[2]))};
  }
  Extent stride() {
    const Extent s{between(1, 3), between(1, 3)};
    count(s.h > 1 || s.w > 1 ? "stride above 1" : "stride 1");
    if (s.h != s.w) count("unequal strides");
    return s;
  }
  Padding padding(Extent kernel) {
    switch (between(0, 2)) {
      case 0:
        count("padding valid");
        return {};
      case 1:
        count("padding same");
        return {Padding::Kind::same, 0};
      default:
        count("padding number");
        return {Padding::Kind::pixels, between(0, std::min(kernel.h, kernel.w) - 1)};
    }
  }

  void convolution(Network& network) {
    const Shape in = network.shape_of(last_);
    const Extent kernel = kernel_for(in);
    if (chance(25)) {
      add(network,
          std::make_unique<DepthwiseConv2d>(DepthwiseConv2dOptions{.kernel = kernel,
                                                                   .stride = stride(),
                                                                   .padding = padding(kernel),
                                                                   .multiplier = between(1, 2),
                                                                   .bias = chance(50)}));
      return;
    }
    const std::int64_t groups = in[3] % 2 == 0 && chance(30) ? 2 : 1;
    if (groups > 1) count("groups");
    add(network, std::make_unique<Conv2d>(Conv2dOptions{.filters = groups * between(1, 9),
                                                        .kernel = kernel,
                                                        .stride = stride(),
                                                        .padding = padding(kernel),
                                                        .groups = groups,
                                                        .bias = chance(50)}));
  }

  void activation(Network& network) {
    if (chance(50)) {
      add(network, make_activation("relu"));
    } else if (chance(40)) {
      add(network, make_activation("relu6"));
    } else {
      count("no activation");
    }
  }

  void pool(Network& network) {
    const Shape in = network.shape_of(last_);
    const Extent size{between(1, std::min<std::int64_t>(3, in[1])),
                      between(1, std::min<std::int64_t>(3, in[2]))};
    const PoolOptions options{.size = size,
                              .stride = chance(50) ? std::optional<Extent>(stride()) : std::nullopt,
                              .padding = padding(size)};
    if (chance(50)) {
      add(network, std::make_unique<MaxPool2d>(options));
    } else {
      add(network, std::make_unique<AvgPool2d>(options));
    }
  }

  // A branch of the same shape beside the identity, and their sum.
  void residual(Network& network) {
    const std::string start = last_;
    const std::int64_t channels = network.shape_of(last_)[3];
    const Padding same{Padding::Kind::same, 0};
    if (chance(40)) {
      add(network, make_activation(chance(70) ? "relu" : "relu6"));
      count("relu beside a sum");
    }
    add(network, std::make_unique<Conv2d>(Conv2dOptions{.filters = channels,
                                                        .kernel = {3, 3},
                                                        .stride = {1, 1},
                                                        .padding = same,
                                                        .groups = 1,
                                                        .bias = true}));
    if (chance(60)) add(network, std::make_unique<BatchNorm>());
    add(network, std::make_unique<Add>(), {last_, start});
    activation(network);
  }

  void image_block(Network& network) {
    convolution(network);
    if (chance(60)) add(network, std::make_unique<BatchNorm>());
    activation(network);
    if (chance(35)) residual(network);
    if (chance(40)) pool(network);
    if (chance(15)) {
      add(network, std::make_unique<BatchNorm>());
      count("lone batch_norm");
      activation(network);
    }
    if (chance(15)) {
      add(network, make_activation("relu"));
      count("relu after anything");
    }
    if (chance(15)) add(network, std::make_unique<Dropout>(DropoutOptions{.rate = 0.25}));
  }

  void head(Network& network) {
    if (chance(30)) add(network, std::make_unique<GlobalAvgPool2d>());
    add(network, std::make_unique<Flatten>());
    if (chance(50)) {
      add(network,
          std::make_unique<Dense>(DenseOptions{.units = between(1, 17), .bias = chance(70)}));
      if (chance(40)) add(network, std::make_unique<BatchNorm>());
      activation(network);
      if (chance(15)) {
        add(network, make_activation("relu"));
        count("relu between dense layers");
      }
    }
    add(network,
        std::make_unique<Dense>(DenseOptions{.units = between(2, 10), .bias = chance(70)}));
  }

  void fill(Tensor& tensor, double mean, double deviation) {
    float* values = tensor.mutable_data();
    for (std::int64_t i = 0; i < tensor.size(); ++i)
      values[i] = static_cast<float>(mean + deviation * random_.normal());
  }

  // Parameters and running statistics as no training would leave them.
  void disturb(Network& network) {
    struct Statistics final : StateVisitor {
      explicit Statistics(Generator& g) : generator(g) {}
      void tensor(const std::string& name, Tensor& value) override {
        if (name.ends_with("/mean") || name.ends_with(".mean")) generator.fill(value, 0, 0.5);
        if (name.ends_with("/variance") || name.ends_with(".variance")) {
          for (std::int64_t i = 0; i < value.size(); ++i)
            value.mutable_data()[i] = generator.random_.uniform(0.001f, 4.0f);
        }
      }
      void bytes(const std::string&, std::vector<std::uint8_t>&) override {}
      void integer(const std::string&, std::int64_t&) override {}
      void real(const std::string&, double&) override {}
      Generator& generator;
    } statistics(*this);
    network.visit_state(statistics);
    for (Parameter* p : network.parameters()) {
      if (p->role() == "bias" || p->role() == "shift") fill(p->latent(), 0, 0.5);
      if (p->role() == "scale") batch_norm_scales(p->latent());
      if (p->role() == "weight" && chance(20)) dead_channel(*p);
    }
  }

  void batch_norm_scales(Tensor& scale) {
    fill(scale, 0.5, 1.0);
    float* values = scale.mutable_data();
    for (std::int64_t i = 0; i < scale.size(); ++i) {
      if (values[i] < 0) count("negative scale");
      const auto draw = random_.below(100);
      if (draw < 5) {
        values[i] = 0;
        count("zero scale");
      } else if (draw < 12) {
        values[i] *= 1e-12f;
        count("tiny scale");
      }
    }
  }

  void dead_channel(Parameter& weight) {
    count("dead channel");
    const ChannelView view = channel_view(weight.shape(), weight.channel_axis());
    const std::int64_t c = between(0, view.channels - 1);
    float* values = weight.latent().mutable_data();
    for (std::int64_t o = 0; o < view.outer; ++o) {
      std::fill_n(values + (o * view.channels + c) * view.inner, view.inner, 0.0f);
    }
  }

  // Filters with bias, batch norm and what reads them; false where there are none to prune.
  bool structured_masks(Network& network, Composition composition) {
    PruneConfig config;
    config.granularity = PruneGranularity::filter;
    std::vector<PruneTarget> targets;
    try {
      targets = find_targets(network, config);
    } catch (const ConfigError&) {
      return false;
    }
    count("structured mask");
    attach_masks(targets, composition, true);
    for (PruneTarget& target : targets) {
      for (std::uint8_t& keep : target.keep) keep = chance(50) ? 0 : 1;
    }
    store_masks(targets);
    return true;
  }

  void masks(Network& network) {
    count("mask");
    const Composition composition =
        chance(50) ? Composition::mask_then_quantize : Composition::quantize_then_mask;
    count(composition == Composition::mask_then_quantize ? "mask then quantize"
                                                         : "quantize then mask");
    if (chance(40) && structured_masks(network, composition)) return;
    for (Parameter* weight : select_weights(network, {})) {
      const auto percent = between(0, 100);
      for (std::uint8_t& keep : attach_mask(*weight, composition, true)->keep())
        keep = chance(static_cast<int>(percent)) ? 0 : 1;
    }
  }

  // Any row of the table that fits.
  const QuantizerRow& row(bool weights, bool needs_zero) {
    std::vector<const QuantizerRow*> fit;
    for (const QuantizerRow& r : quantizer_table()) {
      if (!weights && (r.name == "binary" || r.at_run_time)) continue;  // not on every edge
      const bool has_zero = r.name != "dorefa" && r.name != "binary";
      if ((weights ? r.weights : r.activations) && (has_zero || !weights || !needs_zero))
        fit.push_back(&r);
    }
    return *fit[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(fit.size()) - 1))];
  }

  template <class Config>
  Config quantizer(Config config, const std::string& what, bool weights, bool needs_zero) {
    const QuantizerRow& drawn = chance(40) ? quantizer_row("uniform") : row(weights, needs_zero);
    config.quantizer = drawn.name;
    const bool affine = chance(50) && (!weights || drawn.name == "uniform");
    config.scheme = affine ? Scheme::affine : Scheme::symmetric;
    const int least =
        drawn.name == "uniform" && config.scheme == Scheme::symmetric ? 2 : drawn.least_bits;
    config.bits = static_cast<int>(between(least, drawn.most_bits));
    config.granularity = weights && chance(60) ? Granularity::per_channel : Granularity::per_tensor;
    if (drawn.one_grid && weights) config.granularity = Granularity::per_tensor;
    config.scale = chance(25) ? ScaleKind::power_of_two : ScaleKind::real;
    if (drawn.name == "codebook") {
      config.levels = static_cast<int>(between(2, 40));
      config.bits = static_cast<int>(std::bit_width(static_cast<unsigned>(config.levels - 1)));
    }
    if (drawn.name == "log2" && chance(50)) config.base = LogBase::root;
    if (drawn.observes) {
      const std::vector<std::string> kinds = observer_kinds(weights);
      config.observer = kinds[static_cast<std::size_t>(between(0, std::ssize(kinds) - 1))];
    }
    if (weights && drawn.name == "uniform") {
      constexpr RoundingMode kModes[] = {RoundingMode::nearest, RoundingMode::floor,
                                         RoundingMode::truncate, RoundingMode::stochastic};
      config.rounding = kModes[between(0, 3)];
    }
    count(what + " " + drawn.name);
    count(what + " bits " + std::to_string(config.bits));
    count(what + (config.scheme == Scheme::symmetric ? " symmetric" : " affine"));
    count(what + (config.granularity == Granularity::per_channel ? " per channel" : " per tensor"));
    if (config.scale == ScaleKind::power_of_two) count("power of two");
    return config;
  }

  ActivationQuantizerConfig signs() {
    ActivationQuantizerConfig config;
    config.quantizer = "binary";
    config.bits = 1;
    if (chance(25)) config.scale = ScaleKind::power_of_two;
    count("activation binary");
    return config;
  }

  RandomNetwork quantized(Network network) {
    const bool masked = chance(50);
    if (masked) masks(network);
    for (Parameter* weight : select_weights(network, {})) {
      attach_weight_quantizers({weight}, Composition::mask_then_quantize,
                               quantizer(WeightQuantizerConfig(), "weight", true, masked));
    }
    // Those of the input and the output are uniform, as configs make them.
    const std::string output = network.output();
    attach_activation_quantizers(network, [&](const std::string& node) {
      const auto drawn = quantizer(ActivationQuantizerConfig(), "activation", false, false);
      const bool end = node == kInputNode || node == output;
      if (!end && sign_fault(network, node).empty() && chance(50)) return signs();
      return end && drawn.quantizer != "uniform" ? ActivationQuantizerConfig() : drawn;
    });
    RandomNetwork result{.network = std::move(network),
                         .rounding = integer::Rounding::twice,
                         .input = {},
                         .images = {}};
    if (chance(50)) result.rounding = integer::Rounding::once;
    count(result.rounding == integer::Rounding::once ? "rounding single" : "rounding double");
    calibrate(result);
    return result;
  }

  // Random images observed once; then codes of random bytes as inputs, extremes included.
  void calibrate(RandomNetwork& result) {
    const Shape one = result.network.input_shape();
    Shape shape{3};
    for (int i = 0; i < one.rank(); ++i) shape.append(one[i]);
    Tensor x = Tensor::persistent(shape);
    fill(x, 0.3, 1.0);
    const NoGradient no_gradient;
    result.network.forward(Variable(x), Pass::begin(Pass::Mode::calibrate, seed_, 0));
    result.network.release();
    const Grid grid = grid_source(result.network, kInputNode)->quantizer().grid();
    result.images = Tensor::persistent(shape);
    float* real = result.images.mutable_data();
    for (std::int64_t i = 0; i < x.size(); ++i) {
      const auto code = static_cast<std::int32_t>(
          chance(10) ? (chance(50) ? grid.format.qmin() : grid.format.qmax())
                     : to_code(x.data()[i], 1.0 / static_cast<double>(grid.scales[0]),
                               grid.zero_points[0], grid.format.qmin(), grid.format.qmax()));
      result.input.push_back(static_cast<std::int8_t>(code));
      real[i] = to_real(code, grid.zero_points[0], grid.scales[0]);
    }
  }

  std::uint64_t seed_;
  Random random_;
  Drawn& drawn_;
  std::string last_ = std::string(kInputNode);
  int next_ = 1;
};

}  // namespace

RandomNetwork random_network(std::uint64_t seed, Drawn& drawn) {
  return Generator(seed, drawn).make();
}

std::vector<std::string> everything_drawable() {
  std::vector<std::string> names = {"conv2d",
                                    "depthwise_conv2d",
                                    "dense",
                                    "batch_norm",
                                    "relu",
                                    "relu6",
                                    "max_pool2d",
                                    "avg_pool2d",
                                    "global_avg_pool2d",
                                    "flatten",
                                    "dropout",
                                    "add",
                                    "groups",
                                    "stride 1",
                                    "stride above 1",
                                    "unequal strides",
                                    "padding valid",
                                    "padding same",
                                    "padding number",
                                    "no activation",
                                    "lone batch_norm",
                                    "relu after anything",
                                    "relu beside a sum",
                                    "relu between dense layers",
                                    "negative scale",
                                    "zero scale",
                                    "tiny scale",
                                    "dead channel",
                                    "mask",
                                    "structured mask",
                                    "mask then quantize",
                                    "quantize then mask",
                                    "weight symmetric",
                                    "weight affine",
                                    "weight per channel",
                                    "weight per tensor",
                                    "activation symmetric",
                                    "activation affine",
                                    "activation per tensor",
                                    "power of two",
                                    "rounding single",
                                    "rounding double"};
  for (int bits = 1; bits <= 8; ++bits) {
    names.push_back("weight bits " + std::to_string(bits));
    names.push_back("activation bits " + std::to_string(bits));
  }
  for (const QuantizerRow& row : quantizer_table()) {
    if (row.weights) names.push_back("weight " + row.name);
    if (row.activations && !row.at_run_time) names.push_back("activation " + row.name);
  }
  return names;
}

}  // namespace pare
