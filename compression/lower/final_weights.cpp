#include "compression/lower/final_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "compression/integer/operations.h"
#include "compression/integer/validate.h"
#include "compression/lower/fixed_point.h"
#include "compression/prune/mask.h"
#include "compression/quantize/weight_quantizer.h"
#include "framework/base/error.h"
#include "layers/batch_norm.h"
#include "layers/weighted.h"

namespace pare {
namespace {

constexpr double kLargestBias = 0x1p30;
constexpr float kSmallestScale = 0x1p-100f;

// The parts of a group's affine map: value[c] = a[c] * (sum + bias[c]) + shift[c] - a[c] * mean[c].
struct GroupParts {
  const NetworkNode* node = nullptr;
  Parameter* weight = nullptr;  // null for a batch norm or a relu on its own
  Tensor bias;                  // as the layer computes with it: under a mask 0; undefined: none
  const BatchNorm* batch_norm = nullptr;
  Tensor scale, shift;  // of the batch norm, likewise
  std::int64_t channels = 0;
};

Tensor value_of(Parameter& parameter) {
  const NoGradient no_gradient;
  const Tensor value = parameter.value(Pass::begin(Pass::Mode::evaluate, 0, 0)).value();
  parameter.release();
  return value;
}

GroupParts parts_of(const Network& network, const Group& group) {
  GroupParts parts;
  parts.node = &network.node(group.head);
  if (auto* weighted = dynamic_cast<Weighted*>(parts.node->module.get())) {
    parts.weight = &weighted->weight();
    if (Parameter* bias = weighted->bias()) parts.bias = value_of(*bias);
  }
  if (!group.batch_norm.empty()) {
    auto* batch_norm = dynamic_cast<BatchNorm*>(network.node(group.batch_norm).module.get());
    parts.batch_norm = batch_norm;
    parts.scale = value_of(batch_norm->scale());
    parts.shift = value_of(batch_norm->shift());
  }
  parts.channels = parts.node->shape[-1];
  return parts;
}

// Per channel: a and the real bias.
struct ChannelMap {
  double a, bias;
};

ChannelMap channel_map(const GroupParts& parts, std::int64_t c) {
  const double own = parts.bias.defined() ? static_cast<double>(parts.bias.data()[c]) : 0.0;
  if (!parts.batch_norm) return {1.0, own};
  const BatchNorm& bn = *parts.batch_norm;
  const double a = static_cast<double>(parts.scale.data()[c]) /
                   std::sqrt(static_cast<double>(bn.variance().data()[c]) + bn.epsilon());
  const double mean = bn.mean().data()[c];
  return {a, static_cast<double>(parts.shift.data()[c]) + a * (own - mean)};
}

// Codes of the weights as the chain leaves them, and the weight scale of every channel.
struct WeightCodes {
  integer::Weights weights;
  std::vector<float> scales;  // one per channel
  bool single_scale = false;  // all of them the same by construction
  Tensor values;     // after the mask, before the grid (on it where it has levels); undefined for
                     // unit weights
  GridCodes levels;  // of the grid, where it has some
};

// A batch norm or a relu on its own: every weight is code 1 at scale 1.
WeightCodes unit_weights(std::int64_t channels) {
  WeightCodes result;
  result.weights.bits = 2;
  result.weights.codes.assign(static_cast<std::size_t>(channels), 1);
  result.scales.assign(static_cast<std::size_t>(channels), 1.0f);
  return result;
}

// Few levels of a wider grid: what they mean are the values, and bits are those of the widest.
void keep_levels(const Grid& grid, const Parameter& weight, WeightCodes& result) {
  const int widest = std::max(-grid.levels.front(), static_cast<int>(grid.levels.back()));
  result.levels = grid.levels;
  result.weights.bits = std::bit_width(static_cast<unsigned>(widest)) + 1;
  const ChannelView view = channel_view(weight.shape(), weight.channel_axis());
  float* values = result.values.mutable_data();
  for (std::int64_t i = 0; i < result.values.size(); ++i) {
    const auto c = grid.channels() == 1 ? std::size_t{0}
                                        : static_cast<std::size_t>(i / view.inner % view.channels);
    values[i] = to_real(result.weights.codes[static_cast<std::size_t>(i)], 0, grid.scales[c]);
  }
}

WeightCodes weight_codes(const std::string& node, Parameter& weight) {
  const auto* transform = dynamic_cast<const WeightQuantizer*>(weight.find(kWeightQuantizer));
  if (!transform) refuse_integers(node, "its weights have no grid; quantize them");
  if (const std::string why = transform->config().float_only(); !why.empty())
    refuse_integers(node, "weights." + why);
  const NoGradient no_gradient;
  const Pass pass = Pass::begin(Pass::Mode::evaluate, 0, 0);
  weight.value(pass);  // a stateless quantizer takes the range of the present weights
  weight.release();
  Variable masked(weight.latent());
  if (Transform* mask = weight.find(kMask)) masked = mask->apply(masked, pass);

  const Grid grid = transform->quantizer().grid();
  WeightCodes result;
  result.values = masked.value().clone();
  result.weights.bits = grid.format.bits;
  result.weights.affine = grid.format.scheme == Scheme::affine;
  for (const std::int16_t code : transform->quantizer().codes(result.values))
    result.weights.codes.push_back(static_cast<std::int8_t>(code));
  if (!grid.levels.empty()) keep_levels(grid, weight, result);
  if (result.weights.affine) result.weights.zero_points = grid.zero_points;
  result.single_scale = grid.channels() == 1;
  const auto channels = static_cast<std::size_t>(weight.channels());
  result.scales = result.single_scale ? std::vector<float>(channels, grid.scales[0]) : grid.scales;
  return result;
}

// The sum of a channel's weights as real numbers.
double weight_sum(const WeightCodes& codes, std::int64_t c, std::int64_t channels,
                  const Parameter* weight) {
  const integer::Weights& w = codes.weights;
  const ChannelView view = weight ? channel_view(weight->shape(), weight->channel_axis())
                                  : ChannelView{1, channels, 1};
  double sum = 0;
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (std::int64_t i = 0; i < view.inner; ++i)
      sum += w.codes[static_cast<std::size_t>((o * view.channels + c) * view.inner + i)] -
             integer::zero_point(w, c);
  }
  return sum * static_cast<double>(codes.scales[static_cast<std::size_t>(c)]);
}

// Of all channels. An offset of the input adds itself times the channel's weights; an offset of the
// output is taken off, so that codes stand for what is left.
std::vector<ChannelMap> channel_maps(const GroupParts& parts, const WeightCodes& codes,
                                     const FinalEdge& in, const FinalEdge& out) {
  std::vector<ChannelMap> maps;
  for (std::int64_t c = 0; c < parts.channels; ++c) {
    ChannelMap map = channel_map(parts, c);
    if (in.offset != 0) {
      map.bias += map.a * static_cast<double>(in.offset) *
                  weight_sum(codes, c, parts.channels, parts.weight);
    }
    map.bias -= static_cast<double>(out.offset);
    maps.push_back(map);
  }
  return maps;
}

// The largest accumulator of every channel.
std::vector<std::int64_t> accumulator_bounds(const GroupParts& parts,
                                             const integer::Weights& weights,
                                             const integer::Channels& channels,
                                             const FinalEdge& in) {
  integer::Tensor input, output;
  input.zero_point = in.zero_point;
  input.code_min = in.code_min;
  input.code_max = in.code_max;
  output.channels = static_cast<std::int32_t>(parts.channels);
  const auto taps = static_cast<std::int32_t>(std::ssize(weights.codes) / parts.channels);
  if (parts.weight && parts.weight->channel_axis() == 0) {
    input.channels = taps;
    return integer::accumulator_bounds(integer::Dense{0, 0, weights, channels}, input, output);
  }
  integer::Window window;
  window.kernel_h = taps;
  input.channels = output.channels;
  return integer::accumulator_bounds(integer::DepthwiseConv2d{0, 0, window, weights, channels},
                                     input, output);
}

// The level nearest to x / scale; the lower of two.
std::int32_t nearest_level(const GridCodes& levels, double position) {
  std::int32_t best = levels.front();
  for (const std::int32_t level : levels) {
    if (std::fabs(level - position) < std::fabs(best - position)) best = level;
  }
  return best;
}

// Rounds one channel's weights anew at `scale` (all to real zero where it is infinite: a = 0).
void recode_channel(WeightCodes& codes, const Parameter* weight, std::int64_t c, double scale) {
  if (!weight) {
    codes.weights.codes[static_cast<std::size_t>(c)] =
        static_cast<std::int8_t>(to_code(1.0f, 1.0 / scale, 0, -1, 1));
    return;
  }
  const ChannelView view = channel_view(weight->shape(), weight->channel_axis());
  const std::vector<std::int32_t>& zero_points = codes.weights.zero_points;
  const std::int32_t z =
      zero_points.empty() ? 0
                          : zero_points[zero_points.size() == 1 ? 0 : static_cast<std::size_t>(c)];
  const GridFormat format{.bits = codes.weights.bits,
                          .scheme = codes.weights.affine ? Scheme::affine : Scheme::symmetric};
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (std::int64_t i = 0; i < view.inner; ++i) {
      const std::int64_t k = (o * view.channels + c) * view.inner + i;
      const float value = codes.values.data()[k];
      codes.weights.codes[static_cast<std::size_t>(k)] = static_cast<std::int8_t>(
          codes.levels.empty() ? to_code(value, 1.0 / scale, z, format.qmin(), format.qmax())
                               : nearest_level(codes.levels, static_cast<double>(value) / scale));
    }
  }
}

// The scale of channel c with batch norm in it.
float absorbed_scale(const WeightCodes& codes, const ChannelMap& map, std::size_t c) {
  return static_cast<float>(static_cast<double>(codes.scales[c]) * std::fabs(map.a));
}

// `unit`: that of the bias where the weight scale is 1.
bool bias_fits(double bias, double unit, float effective) {
  const double code = std::fabs(bias / (unit * static_cast<double>(effective)));
  return std::isfinite(code) && code + 0.5 <= kLargestBias;
}

// The smallest float32 scale at which the bias code fits.
float raised_scale(double bias, double unit) {
  auto scale =
      std::max(static_cast<float>(std::fabs(bias) / (unit * (kLargestBias - 0.5))), kSmallestScale);
  while (!bias_fits(bias, unit, scale)) scale = std::nextafter(scale, 1e30f);
  return scale;
}

// All weights of channel c are zero, so that any scale gives them. Not where the tensor has one
// scale for all channels, which formats may want to keep.
bool has_free_scale(const GroupParts& parts, const WeightCodes& codes, std::int64_t c) {
  if (!parts.weight) return false;
  const auto is_common = [&](float scale) { return scale == codes.scales[0]; };
  if (!parts.batch_norm && std::all_of(codes.scales.begin(), codes.scales.end(), is_common))
    return false;
  const ChannelView view = channel_view(parts.weight->shape(), parts.weight->channel_axis());
  for (std::int64_t o = 0; o < view.outer; ++o) {
    const float* values = codes.values.data() + (o * view.channels + c) * view.inner;
    if (std::any_of(values, values + view.inner, [](float v) { return v != 0; })) return false;
  }
  return true;
}

// The scale of channel c with batch norm in it; raised, and the channel's codes made anew, where
// the bias would not fit. Without weights only the bias is left, and has the finest unit: that of a
// grid for nothing but zeros, 1, times a batch norm's large a (its variance vanished too) would
// round it to a few units or none.
float effective_scale(const GroupParts& parts, ChannelMap map, WeightCodes& codes, std::int64_t c,
                      double unit, std::int64_t& raised_channels) {
  const auto [a, bias] = map;
  if (!std::isfinite(a) || !std::isfinite(bias)) {
    refuse_integers(parts.node->name, fmt::format("channel {} is not finite", c));
  }
  const float effective = absorbed_scale(codes, map, static_cast<std::size_t>(c));
  if (effective >= kSmallestScale && bias_fits(bias, unit, effective)) {
    const bool free = bias != 0 && has_free_scale(parts, codes, c);
    return free ? raised_scale(bias, unit) : effective;
  }
  ++raised_channels;
  const float raised = raised_scale(bias, unit);
  recode_channel(codes, parts.weight, c, static_cast<double>(raised) / std::fabs(a));
  return raised;
}

// As many as there is room for: sums keep half of int32, and no bias that fits without fraction
// bits makes a scale grow.
std::int32_t fitting_fraction_bits(const GroupParts& parts, const WeightCodes& codes,
                                   const std::vector<ChannelMap>& maps, const FinalEdge& in) {
  integer::Channels no_bias;
  no_bias.bias.assign(maps.size(), 0);
  const std::vector<std::int64_t> sums = accumulator_bounds(parts, codes.weights, no_bias, in);
  std::int32_t bits = most_fraction_bits(codes.weights);
  for (std::size_t c = 0; c < maps.size(); ++c) {
    const float effective = absorbed_scale(codes, maps[c], c);
    const bool fits = bias_fits(maps[c].bias, static_cast<double>(in.scale), effective);
    const auto has_room = [&](std::int32_t f) {
      const double unit = std::ldexp(static_cast<double>(in.scale), -f);
      return (sums[c] << f) < (std::int64_t{1} << 30) &&
             (!fits || bias_fits(maps[c].bias, unit, effective));
    };
    while (bits > 0 && !has_room(bits)) --bits;
  }
  return bits;
}

}  // namespace

void refuse_integers(const std::string& node, const std::string& reason) {
  throw ConfigError(fmt::format("node '{}' cannot become integers: {}", node, reason));
}

FinalWeights final_weights(const Network& network, const Group& group, const FinalEdge& in,
                           FinalEdge& out, std::int64_t& raised_channels) {
  const GroupParts parts = parts_of(network, group);
  WeightCodes codes =
      parts.weight ? weight_codes(group.head, *parts.weight) : unit_weights(parts.channels);
  const std::vector<ChannelMap> maps = channel_maps(parts, codes, in, out);
  const std::int32_t fraction_bits = fitting_fraction_bits(parts, codes, maps, in);
  // Exact, so that products with weight scales round as without it.
  const float input_unit = std::ldexp(in.scale, -fraction_bits);
  const std::int64_t unit_of_sums = std::int64_t{1} << fraction_bits;
  std::vector<float> scales;
  for (std::int64_t c = 0; c < parts.channels; ++c) {
    scales.push_back(effective_scale(parts, maps[static_cast<std::size_t>(c)], codes, c, input_unit,
                                     raised_channels));
  }
  const bool single =
      std::all_of(scales.begin(), scales.end(), [&](float s) { return s == scales[0]; });
  FinalWeights result{.weights = std::move(codes.weights), .channels = {}};
  result.channels.fraction_bits = fraction_bits;
  bool any_negative = false;
  for (std::size_t c = 0; c < scales.size(); ++c) {
    const double unit = static_cast<double>(input_unit) * static_cast<double>(scales[c]);
    result.channels.bias.push_back(
        static_cast<std::int32_t>(std::floor(maps[c].bias / unit + 0.5)));
    result.channels.negate.push_back(maps[c].a < 0 ? 1 : 0);
    any_negative = any_negative || maps[c].a < 0;
  }
  if (!any_negative) result.channels.negate.clear();
  // TensorFlow Lite multiplies the scales of a fully connected layer with one scale in float32.
  const bool in_float = single && parts.node->module->kind() == "dense";
  const auto product = [&](std::size_t c) {
    return in_float ? static_cast<double>(input_unit * scales[c])
                    : static_cast<double>(input_unit) * static_cast<double>(scales[c]);
  };
  const std::vector<std::int64_t> bounds =
      accumulator_bounds(parts, result.weights, result.channels, in);
  for (std::size_t c = 0; c < scales.size(); ++c)
    out.scale = fitting_scale(out.scale, product(c), std::max(bounds[c], unit_of_sums));
  for (std::size_t c = 0; c < scales.size(); ++c) {
    const auto multiplier = fixed_point(product(c) / static_cast<double>(out.scale));
    if (!multiplier) {
      refuse_integers(group.head, fmt::format("channel {} needs a multiplier of 2^30 or more ({} * "
                                              "{} / {}); its output's range is too narrow",
                                              c, in.scale, scales[c], out.scale));
    }
    result.channels.multipliers.push_back(*multiplier);
  }
  if (single) scales.resize(1);
  for (const float scale : scales)
    result.weights.scale_bits.push_back(std::bit_cast<std::uint32_t>(scale));
  return result;
}

}  // namespace pare
