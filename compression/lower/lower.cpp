#include "compression/lower/lower.h"

#include <bit>
#include <map>

#include "compression/groups.h"
#include "compression/integer/validate.h"
#include "compression/lower/final_weights.h"
#include "compression/quantize/grid.h"
#include "framework/base/error.h"
#include "layers/conv2d.h"
#include "layers/pool.h"

namespace pare {
namespace {

integer::Window program_window(const Window& w) {
  const auto i = [](std::int64_t v) { return static_cast<std::int32_t>(v); };
  return {i(w.kernel_h), i(w.kernel_w), i(w.stride_h),   i(w.stride_w),
          i(w.pad_top),  i(w.pad_left), i(w.pad_bottom), i(w.pad_right)};
}

// Builds a program node by node.
class Lowering {
 public:
  Lowering(const Network& network, const FinalNetwork& final) : network_(network), final_(final) {
    for (const Group& group : find_groups(network)) groups_[group.tail()] = group;
    program_.rounding = final.rounding;
    program_.input = add_tensor(std::string(kInputNode), network.shape_of(kInputNode));
  }

  integer::Program run() {
    for (const NetworkNode& node : network_.nodes()) {
      if (final_.edges.contains(node.name)) add_edge(node);
    }
    program_.output = tensor(network_.output());
    return std::move(program_);
  }

 private:
  // Shape has a batch extent of 1: [1, H, W, C] or [1, n].
  std::int32_t add_tensor(const std::string& name, const Shape& shape) {
    const FinalEdge& edge = final_.edges.at(name);
    integer::Tensor t{.name = name,
                      .height = shape.rank() == 4 ? static_cast<std::int32_t>(shape[1]) : 1,
                      .width = shape.rank() == 4 ? static_cast<std::int32_t>(shape[2]) : 1,
                      .channels = static_cast<std::int32_t>(shape[-1]),
                      .zero_point = edge.zero_point,
                      .code_min = edge.code_min,
                      .code_max = edge.code_max,
                      .scale_bits = std::bit_cast<std::uint32_t>(edge.scale)};
    program_.tensors.push_back(std::move(t));
    const auto index = static_cast<std::int32_t>(program_.tensors.size() - 1);
    tensors_[name] = index;
    return index;
  }

  // The tensor of the edge that a node's output is.
  std::int32_t tensor(const std::string& node) const {
    return tensors_.at(edge_of(network_, node));
  }

  void add_edge(const NetworkNode& node) {
    const auto group = groups_.find(node.name);
    const NetworkNode& head = group == groups_.end() ? node : network_.node(group->second.head);
    std::vector<std::int32_t> inputs;
    for (const std::string& input : head.inputs) inputs.push_back(tensor(input));
    const std::int32_t output = add_tensor(node.name, node.shape);
    program_.operations.push_back(group == groups_.end() ? shared(node, inputs[0], output)
                                                         : computed(head, inputs, output));
  }

  integer::Operation computed(const NetworkNode& head, const std::vector<std::int32_t>& inputs,
                              std::int32_t output) {
    const Module* module = head.module.get();
    if (module->kind() == "add") {
      const FinalAdd& add = final_.adds.at(head.name);
      return integer::Add{inputs[0], inputs[1], output, add.a, add.b, add.output};
    }
    if (module->kind() == "global_avg_pool2d")
      return integer::GlobalAverage{inputs[0], output, final_.means.at(head.name)};
    const FinalWeights& w = final_.weights.at(head.name);
    if (const auto* conv = dynamic_cast<const Conv2d*>(module)) {
      return integer::Conv2d{inputs[0],
                             output,
                             program_window(conv->window()),
                             static_cast<std::int32_t>(conv->groups()),
                             w.weights,
                             w.channels};
    }
    if (const auto* depthwise = dynamic_cast<const DepthwiseConv2d*>(module)) {
      return integer::DepthwiseConv2d{inputs[0], output, program_window(depthwise->window()),
                                      w.weights, w.channels};
    }
    if (module->kind() == "dense") return integer::Dense{inputs[0], output, w.weights, w.channels};
    PARE_ENSURE(module->kind() == "batch_norm" || module->kind() == "relu" ||
                module->kind() == "relu6");
    return integer::DepthwiseConv2d{inputs[0], output, {}, w.weights, w.channels};
  }

  static integer::Operation shared(const NetworkNode& node, std::int32_t input,
                                   std::int32_t output) {
    const std::string_view kind = node.module->kind();
    if (kind == "flatten") return integer::Reshape{input, output};
    if (kind == "relu" || kind == "relu6") return integer::Clamp{input, output};
    const integer::Window window = program_window(dynamic_cast<const Pool&>(*node.module).window());
    if (kind == "max_pool2d") return integer::MaxPool2d{input, output, window};
    PARE_ENSURE(kind == "avg_pool2d");
    return integer::AveragePool2d{input, output, window};
  }

  const Network& network_;
  const FinalNetwork& final_;
  std::map<std::string, Group> groups_;  // by tail
  std::map<std::string, std::int32_t> tensors_;
  integer::Program program_;
};

}  // namespace

integer::Program lower(const Network& network, const FinalNetwork& final, const std::string& name,
                       std::span<const std::array<float, 256>> pixel_values) {
  integer::Program program = Lowering(network, final).run();
  program.name = name;
  for (const std::array<float, 256>& values : pixel_values) {
    const std::vector<std::int8_t> codes = input_codes(final, values);
    std::copy(codes.begin(), codes.end(), program.pixel_codes.emplace_back().begin());
  }
  try {
    integer::validate(program);
  } catch (const DataError& error) {  // here it is the network's grids that do not fit, not a file
    throw ConfigError(std::string("the network cannot become integers: ") + error.what());
  }
  return program;
}

std::vector<std::int8_t> input_codes(const FinalNetwork& final, std::span<const float> values) {
  const FinalEdge& input = final.edges.at(std::string(kInputNode));
  const double reciprocal = 1.0 / static_cast<double>(input.scale);
  std::vector<std::int8_t> codes(values.size());
  std::transform(values.begin(), values.end(), codes.begin(), [&](float value) {
    return static_cast<std::int8_t>(
        to_code(value, reciprocal, input.zero_point, input.code_min, input.code_max));
  });
  return codes;
}

}  // namespace pare
