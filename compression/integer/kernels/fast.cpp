#include "compression/integer/kernels/fast.h"

#include <algorithm>
#include <type_traits>

#include "compression/integer/kernels/reference.h"

namespace pare::integer {

FastKernels::FastKernels(const Program& program)
    : program_(&program), kernel_(best_panel_kernel()) {
  for (const Operation& operation : program.operations) {
    Prepared& prepared = prepared_.emplace_back();
    const Tensor& input = program.tensors[inputs_of(operation)[0]];
    const Tensor& output = program.tensors[output_of(operation)];
    if (const auto* conv = std::get_if<Conv2d>(&operation)) {
      const WeightLayout layout = weight_layout(*conv, input, output);
      const std::int64_t outputs = layout.outputs / conv->groups;
      for (std::int32_t g = 0; g < conv->groups; ++g) {
        prepared.groups.push_back(
            make_panels(conv->weights, conv->channels, layout, g * outputs, outputs));
      }
    } else if (const auto* dense = std::get_if<Dense>(&operation)) {
      const WeightLayout layout = weight_layout(*dense, input, output);
      prepared.groups.push_back(
          make_panels(dense->weights, dense->channels, layout, 0, layout.outputs));
    } else if (const auto* depthwise = std::get_if<DepthwiseConv2d>(&operation)) {
      prepared.taps = depthwise_taps(*depthwise, weight_layout(*depthwise, input, output));
    } else if (const auto* sum = std::get_if<Add>(&operation)) {
      prepared.tables = {operand_table(input, sum->scale_a, program.rounding),
                         operand_table(program.tensors[sum->b], sum->scale_b, program.rounding)};
    }
  }
}

Scratch FastKernels::make_scratch(std::int64_t images) const {
  std::int64_t image = 0, rows = 0, sums = 0;
  for (std::size_t k = 0; k < prepared_.size(); ++k) {
    const Operation& operation = program_->operations[k];
    sums = std::max<std::int64_t>(sums, program_->tensors[output_of(operation)].channels);
    const bool conv = std::holds_alternative<Conv2d>(operation);
    if (conv) image = std::max(image, program_->tensors[inputs_of(operation)[0]].size());
    for (const Panels& panels : prepared_[k].groups) {
      const std::int64_t tile = rows_at_a_time(panels.pairs);
      rows = std::max(rows, (conv ? tile : std::min(tile, images)) * panels.pairs * 2);
    }
  }
  Scratch scratch;
  scratch.image.resize(image);
  scratch.rows.resize(rows);
  scratch.sums.resize(sums);
  return scratch;
}

// One call of run(): picks the kernel for each kind of operation. All but dense go image by image.
struct FastKernels::Call {
  const FastKernels& kernels;
  const Prepared& prepared;
  const Tensor& input;
  const Tensor& output;
  std::int64_t images;
  const std::int8_t* a;
  const std::int8_t* b;
  std::int8_t* out;
  Scratch& scratch;

  Rounding rounding() const { return kernels.program_->rounding; }
  PanelLayer layer() const {
    return {input,
            output,
            prepared.groups,
            {rounding(), output.zero_point, output.code_min, output.code_max},
            kernels.kernel_};
  }

  template <class Body>
  void each_image(const Body& body) const {
    for (std::int64_t i = 0; i < images; ++i) body(a + i * input.size(), out + i * output.size());
  }

  void operator()(const Dense&) const { multiply_dense(layer(), images, a, out, scratch); }
  void operator()(const Conv2d& op) const {
    each_image(
        [&](const std::int8_t* x, std::int8_t* y) { convolve(layer(), op.window, x, y, scratch); });
  }
  void operator()(const DepthwiseConv2d& op) const {
    each_image([&](const std::int8_t* x, std::int8_t* y) {
      convolve_depthwise(op, prepared.taps, input, output, rounding(), x, y, scratch);
    });
  }
  void operator()(const MaxPool2d& op) const {
    each_image(
        [&](const std::int8_t* x, std::int8_t* y) { max_pool(op.window, input, output, x, y); });
  }
  void operator()(const AveragePool2d& op) const {
    each_image([&](const std::int8_t* x, std::int8_t* y) {
      average_pool(op.window, input, output, x, y, scratch);
    });
  }
  void operator()(const GlobalAverage& op) const {
    each_image([&](const std::int8_t* x, std::int8_t* y) {
      average_globally(op, input, output, rounding(), x, y, scratch);
    });
  }
  void operator()(const Add& op) const {
    for (std::int64_t i = 0; i < images; ++i) {
      const std::int64_t at = i * output.size();
      add(op, prepared.tables[0], prepared.tables[1], output, rounding(), a + at, b + at, out + at);
    }
  }
  void operator()(const Clamp&) const {
    for (std::int64_t i = 0; i < images * output.size(); ++i) {
      out[i] = static_cast<std::int8_t>(clamp_code(a[i], output.code_min, output.code_max));
    }
  }
  void operator()(const Reshape&) const {
    if (out != a) std::copy_n(a, images * output.size(), out);
  }
};

void FastKernels::run(std::size_t index, std::int64_t images, const std::int8_t* a,
                      const std::int8_t* b, std::int8_t* out, Scratch& scratch) const {
  const Operation& operation = program_->operations[index];
  const Call call{*this,
                  prepared_[index],
                  program_->tensors[inputs_of(operation)[0]],
                  program_->tensors[output_of(operation)],
                  images,
                  a,
                  b,
                  out,
                  scratch};
  std::visit(call, operation);
}

}  // namespace pare::integer
