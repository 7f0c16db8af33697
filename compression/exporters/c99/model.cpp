#include "compression/exporters/c99/model.h"

#include <algorithm>
#include <cctype>
#include <type_traits>

#include "compression/exporters/c99/text.h"
#include "compression/integer/operations.h"
#include "framework/base/names.h"

namespace pare {
namespace {

using integer::Operation;
using integer::Program;
using integer::Tensor;

const Tensor& tensor(const Program& program, std::int32_t index) {
  return program.tensors[static_cast<std::size_t>(index)];
}

// Each sum is computed once where the windows of the pooling do not overlap.
bool pools_in_one_step(const Operation& operation, const integer::MaxPool2d& pool) {
  const bool convolution = std::holds_alternative<integer::Conv2d>(operation) ||
                           std::holds_alternative<integer::DepthwiseConv2d>(operation);
  const integer::Window& w = pool.window;
  return convolution && w.stride_h >= w.kernel_h && w.stride_w >= w.kernel_w && w.pad_top == 0 &&
         w.pad_left == 0 && w.pad_bottom == 0 && w.pad_right == 0;
}

template <class Op>
std::optional<C99Layer> layer_of(const Program& program, const Op& op) {
  if constexpr (requires { op.weights; }) {
    const Tensor& in = tensor(program, op.input);
    const Tensor& out = tensor(program, op.output);
    C99Layer layer;
    layer.table.values = effective_weights(op.weights, op.channels, weight_layout(op, in, out));
    layer.channels = &op.channels;
    layer.outputs = out.channels;
    if constexpr (std::is_same_v<Op, integer::Dense>) {
      layer.dense = true;
      layer.depth = static_cast<std::int32_t>(in.size());
      layer.per_group = out.channels;
    } else {
      layer.window = op.window;
      std::int32_t groups = in.channels;
      if constexpr (std::is_same_v<Op, integer::Conv2d>) groups = op.groups;
      layer.depth = in.channels / groups;
      layer.per_group = out.channels / groups;
    }
    return layer;
  }
  return std::nullopt;
}

// Streams where they are smaller, if together they save more than their decoder takes.
void choose_tables(C99Model& model) {
  std::int64_t saved = 0;
  std::vector<WeightTable> streams(model.steps.size());
  for (std::size_t s = 0; s < model.steps.size(); ++s) {
    if (!model.steps[s].layer) continue;
    const WeightTable& plain = model.steps[s].layer->table;
    streams[s] = smallest_stream(plain.values, model.weight_bytes);
    saved += std::max<std::int64_t>(
        0, plain.bytes(model.weight_bytes) - streams[s].bytes(model.weight_bytes));
  }
  if (saved <= kStreamCodeBytes) return;
  for (std::size_t s = 0; s < model.steps.size(); ++s) {
    if (!model.steps[s].layer) continue;
    WeightTable& table = model.steps[s].layer->table;
    if (streams[s].bytes(model.weight_bytes) < table.bytes(model.weight_bytes)) {
      table = std::move(streams[s]);
    }
  }
}

}  // namespace

std::string c99::comment_text(const std::string& name) {
  std::string text = printable(name);
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

C99Model plan_c99(const Program& program) {
  C99Model model{&program, {}, 1, {}};
  const integer::Schedule schedule =
      fused_operations(program, [&](std::size_t k, const integer::MaxPool2d& pool) {
        return pools_in_one_step(program.operations[k], pool);
      });
  for (const integer::Step& step : schedule) {
    const Operation& operation = program.operations[step.first];
    C99Step planned{
        step, c99::comment_text(tensor(program, step.output).name), kind_of(operation), {}};
    planned.layer = std::visit([&](const auto& op) { return layer_of(program, op); }, operation);
    if (planned.layer && !fit_int8(planned.layer->table.values)) model.weight_bytes = 2;
    model.steps.push_back(std::move(planned));
  }
  choose_tables(model);
  std::vector<std::int64_t> scratch;
  for (const C99Step& step : model.steps) {
    const bool unpacks = step.layer && step.layer->unpacks();
    scratch.push_back(unpacks ? step.layer->taps() * model.weight_bytes : 0);
  }
  model.plan = plan_arena(program, schedule, scratch, model.weight_bytes);
  return model;
}

std::vector<C99Size> sizes_of(const C99Model& model) {
  std::vector<C99Size> sizes;
  for (std::size_t s = 0; s < model.steps.size(); ++s) {
    const C99Step& step = model.steps[s];
    const Operation& operation = model.program->operations[step.step.first];
    const bool moves_nothing = std::holds_alternative<integer::Reshape>(operation);
    C99Size size{step.name, step.kind, "", 0, 0, moves_nothing ? 0 : model.plan.alive[s]};
    if (step.step.fused()) size.kind += " + max_pool2d";
    if (step.layer) {
      size.form = describe(step.layer->table, model.weight_bytes);
      size.weights = step.layer->table.bytes(model.weight_bytes);
      size.tables = 9 * std::int64_t{step.layer->outputs};  // bias, multiplier, shift
    }
    sizes.push_back(std::move(size));
  }
  return sizes;
}

std::string c_identifier(const std::string& name) {
  std::string result;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    result += byte < 128 && std::isalnum(byte) ? static_cast<char>(std::tolower(byte)) : '_';
  }
  if (result.empty() || std::isdigit(static_cast<unsigned char>(result[0]))) {
    result.insert(0, "net_");
  }
  return result;
}

}  // namespace pare
