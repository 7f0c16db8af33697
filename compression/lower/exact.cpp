#include "compression/lower/exact.h"

#include <algorithm>

#include "compression/groups.h"
#include "compression/integer/operations.h"
#include "compression/lower/exact_sums.h"
#include "compression/quantize/activation_quantizer.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "layers/conv2d.h"
#include "layers/pool.h"

namespace pare {
namespace {

using Codes = std::vector<std::int8_t>;

constexpr std::int64_t kRows = 256;  // of sums, per piece of work

std::vector<float> without_zero_point(const Codes& codes, std::int32_t zero_point) {
  std::vector<float> values(codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i)
    values[i] = static_cast<float>(codes[i] - zero_point);
  return values;
}

// Weights as [out][kernel_h][kernel_w][channels / groups], zero points removed.
std::vector<float> plain_weights(const integer::Weights& w, std::int64_t out, bool depthwise) {
  const auto taps = static_cast<std::int64_t>(w.codes.size()) / out;
  std::vector<float> values(w.codes.size());
  for (std::int64_t c = 0; c < out; ++c) {
    const std::int32_t z =
        w.zero_points.empty()
            ? 0
            : w.zero_points[w.zero_points.size() == 1 ? 0 : static_cast<std::size_t>(c)];
    for (std::int64_t k = 0; k < taps; ++k) {
      const std::int64_t from = depthwise ? k * out + c : c * taps + k;
      values[static_cast<std::size_t>(c * taps + k)] =
          static_cast<float>(w.codes[static_cast<std::size_t>(from)] - z);
    }
  }
  return values;
}

// A batch norm or a relu that starts its group: one weight of code 1 for each channel.
bool is_pointwise(const NetworkNode& head) {
  const std::string_view kind = head.module->kind();
  return kind == "batch_norm" || kind == "relu" || kind == "relu6";
}

class Evaluation {
 public:
  Evaluation(const Network& network, const FinalNetwork& final, std::span<const std::int8_t> input)
      : network_(network), final_(final) {
    const std::int64_t size = network.input_shape().size();
    images_ = static_cast<std::int64_t>(input.size()) / size;
    PARE_ENSURE(images_ * size == static_cast<std::int64_t>(input.size()));
    edges_[std::string(kInputNode)].assign(input.begin(), input.end());
  }

  EdgeCodes run() {
    std::map<std::string, Group> groups;
    for (const Group& group : find_groups(network_)) groups[group.tail()] = group;
    for (const NetworkNode& node : network_.nodes()) {
      if (!final_.edges.contains(node.name)) continue;
      const auto group = groups.find(node.name);
      edges_[node.name] = group == groups.end()
                              ? shared(node)
                              : computed(network_.node(group->second.head), node.name);
    }
    return std::move(edges_);
  }

 private:
  const Codes& input(const NetworkNode& node, std::size_t i = 0) const {
    return edges_.at(edge_of(network_, node.inputs[i]));
  }
  const FinalEdge& input_edge(const NetworkNode& node, std::size_t i = 0) const {
    return final_.edges.at(edge_of(network_, node.inputs[i]));
  }

  Codes computed(const NetworkNode& head, const std::string& tail) const {
    const FinalEdge& out = final_.edges.at(tail);
    if (head.module->kind() == "add") return sum_of_two(head, out);
    if (head.module->kind() == "global_avg_pool2d") return mean(head, out);
    return weighted(head, out);
  }

  Codes weighted(const NetworkNode& head, const FinalEdge& out) const {
    const FinalWeights& w = final_.weights.at(head.name);
    const SumsLayout layout = layout_of(head, w.weights.affine);
    const bool depthwise = head.module->kind() == "depthwise_conv2d" || is_pointwise(head);
    const std::vector<std::uint32_t> sums =
        exact_sums(layout, plain_weights(w.weights, layout.out_channels, depthwise),
                   without_zero_point(input(head), input_edge(head).zero_point));
    return requantized(sums, w.channels, out);
  }

  // Of a sum of products modulo 2^32: it is with the start that the sum fits int32.
  static std::int32_t whole_accumulator(const integer::Channels& channels, std::size_t c,
                                        std::uint32_t products) {
    const bool negate = !channels.negate.empty() && channels.negate[c] != 0;
    const auto channel = static_cast<std::int64_t>(c);
    const auto start = static_cast<std::uint32_t>(integer::start_of_sum(channels, channel));
    return integer::accumulator(
        channels, channel, static_cast<std::int32_t>(negate ? start - products : start + products));
  }

  // One sum after the other of each channel, which stand innermost.
  Codes requantized(const std::vector<std::uint32_t>& sums, const integer::Channels& channels,
                    const FinalEdge& out) const {
    Codes codes(sums.size());
    const std::size_t count = channels.bias.size();
    parallel_tiles(std::ssize(sums) / std::ssize(channels.bias), kRows,
                   [&](std::int64_t begin, std::int64_t end) {
                     for (auto i = static_cast<std::size_t>(begin) * count;
                          i < static_cast<std::size_t>(end) * count; i += count) {
                       for (std::size_t c = 0; c < count; ++c) {
                         codes[i + c] = requantized(whole_accumulator(channels, c, sums[i + c]),
                                                    channels.multipliers[c], out);
                       }
                     }
                   });
    return codes;
  }

  SumsLayout layout_of(const NetworkNode& head, bool wide_weights) const {
    const Shape in = network_.shape_of(head.inputs[0]);
    SumsLayout layout;
    layout.out_channels = head.shape[-1];
    layout.wide_weights = wide_weights;
    if (in.rank() == 4 && head.module->kind() != "dense") {
      layout.height = in[1];
      layout.width = in[2];
      layout.channels = in[3];
    } else {
      layout.channels = in.size_from(1);
    }
    if (const auto* conv = dynamic_cast<const Conv2d*>(head.module.get())) {
      layout.window = conv->window();
      layout.groups = conv->groups();
    } else if (const auto* depthwise = dynamic_cast<const DepthwiseConv2d*>(head.module.get())) {
      layout.window = depthwise->window();
      layout.groups = layout.channels;
    } else if (is_pointwise(head)) {
      layout.groups = layout.channels;
    }
    return layout;
  }

  Codes sum_of_two(const NetworkNode& head, const FinalEdge& out) const {
    const FinalAdd& add = final_.adds.at(head.name);
    const Codes& a = input(head, 0);
    const Codes& b = input(head, 1);
    const std::int32_t za = input_edge(head, 0).zero_point, zb = input_edge(head, 1).zero_point;
    Codes codes(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      const std::int32_t left = integer::scale_accumulator(
          (a[i] - za) * (1 << integer::kAddLeftShift), add.a, final_.rounding);
      const std::int32_t right = integer::scale_accumulator(
          (b[i] - zb) * (1 << integer::kAddLeftShift), add.b, final_.rounding);
      codes[i] = requantized(left + right, add.output, out);
    }
    return codes;
  }

  Codes mean(const NetworkNode& head, const FinalEdge& out) const {
    const Shape in = network_.shape_of(head.inputs[0]);
    const std::int64_t pixels = in[1] * in[2], channels = in[3];
    const Codes& x = input(head);
    Codes codes(static_cast<std::size_t>(images_ * channels));
    for (std::int64_t i = 0; i < images_ * channels; ++i) {
      std::int32_t sum = 0;
      for (std::int64_t p = 0; p < pixels; ++p) {
        sum +=
            x[static_cast<std::size_t>(((i / channels) * pixels + p) * channels + i % channels)] -
            input_edge(head).zero_point;
      }
      codes[static_cast<std::size_t>(i)] = requantized(sum, final_.means.at(head.name), out);
    }
    return codes;
  }

  // Edges that share their input's grid.
  Codes shared(const NetworkNode& node) const {
    const FinalEdge& out = final_.edges.at(node.name);
    const std::string_view kind = node.module->kind();
    Codes codes = kind == "max_pool2d" || kind == "avg_pool2d" ? pooled(node, kind == "max_pool2d")
                                                               : input(node);
    for (std::int8_t& code : codes) {
      code = static_cast<std::int8_t>(integer::clamp_code(code, out.code_min, out.code_max));
    }
    return codes;
  }

  Codes pooled(const NetworkNode& node, bool maximum) const {
    const Shape in = network_.shape_of(node.inputs[0]);
    const Window& w = dynamic_cast<const Pool&>(*node.module).window();
    const std::int64_t oh = w.out_h(in[1]), ow = w.out_w(in[2]), channels = in[3];
    const Codes& x = input(node);
    Codes codes(static_cast<std::size_t>(images_ * oh * ow * channels));
    parallel_for(images_ * oh, [&](std::int64_t row) {
      const std::int8_t* image = x.data() + row / oh * in.size_from(1);
      const std::int64_t top = row % oh * w.stride_h - w.pad_top;
      std::vector<std::int32_t> total(static_cast<std::size_t>(channels));
      for (std::int64_t ox = 0; ox < ow; ++ox) {
        const std::int64_t left = ox * w.stride_w - w.pad_left;
        const Taps taps{std::max<std::int64_t>(0, top), std::min(in[1], top + w.kernel_h),
                        std::max<std::int64_t>(0, left), std::min(in[2], left + w.kernel_w)};
        pool_window(image, in[2], taps, maximum, total, codes.data() + (row * ow + ox) * channels);
      }
    });
    return codes;
  }

  // Those of a window that lie inside the image.
  struct Taps {
    std::int64_t top, bottom, left, right;
  };

  // The largest or the average code of a window of each channel; `total` has room for one each.
  static void pool_window(const std::int8_t* image, std::int64_t width, const Taps& taps,
                          bool maximum, std::span<std::int32_t> total, std::int8_t* out) {
    std::ranges::fill(total, maximum ? -128 : 0);
    for (std::int64_t y = taps.top; y < taps.bottom; ++y) {
      for (std::int64_t x = taps.left; x < taps.right; ++x) {
        const std::int8_t* tap = image + (y * width + x) * std::ssize(total);
        for (std::size_t c = 0; c < total.size(); ++c)
          total[c] = maximum ? std::max<std::int32_t>(total[c], tap[c]) : total[c] + tap[c];
      }
    }
    const auto count =
        static_cast<std::int32_t>((taps.bottom - taps.top) * (taps.right - taps.left));
    for (std::size_t c = 0; c < total.size(); ++c) {
      out[c] =
          static_cast<std::int8_t>(maximum ? total[c] : integer::average_codes(total[c], count));
    }
  }

  std::int8_t requantized(std::int32_t accumulator, integer::Multiplier m,
                          const FinalEdge& out) const {
    return static_cast<std::int8_t>(integer::requantize(
        accumulator, m, final_.rounding, out.zero_point, out.code_min, out.code_max));
  }

  const Network& network_;
  const FinalNetwork& final_;
  std::int64_t images_ = 0;
  EdgeCodes edges_;
};

}  // namespace

EdgeCodes evaluate_exactly(const Network& network, const FinalNetwork& final,
                           std::span<const std::int8_t> input) {
  return Evaluation(network, final, input).run();
}

}  // namespace pare
