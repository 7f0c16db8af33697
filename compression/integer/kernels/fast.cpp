#include "compression/integer/kernels/fast.h"

#include <algorithm>
#include <type_traits>

#include "compression/integer/kernels/pixel_map.h"
#include "compression/integer/kernels/reference.h"

namespace pare::integer {
FastKernels::FastKernels(const Program& program, const KernelSet& kernels, std::int64_t images)
    : program_(&program), kernels_(&kernels), images_(images) {
  for (const Operation& operation : program.operations) {
    Prepared& prepared = prepared_.emplace_back();
    std::visit([&](const auto& op) { prepare(prepared, op); }, operation);
  }
}

void FastKernels::prepare(Prepared& prepared, const Conv2d& op) {
  const Tensor& input = program_->tensors[op.input];
  const Tensor& output = program_->tensors[op.output];
  prepared.reference = !fits_packed_form(op, input, output);
  if (prepared.reference) return;
  const WeightLayout layout = weight_layout(op, input, output);
  const std::int64_t outputs = layout.outputs / op.groups;
  for (std::int32_t g = 0; g < op.groups; ++g) {
    prepared.groups.push_back(pack_layer(op.weights, op.channels, layout, g * outputs, outputs,
                                         tap_runs(op, input, g), input.zero_point,
                                         program_->rounding, kernels_->packing));
  }
  prepared.rows = pixel_rows(op.window, input, output);
  prepared.pooled = pooled_rows(op.window, input, output);
  prepared.image_bytes = padded_image_bytes(op.window, input) + kImageSlack;
}

void FastKernels::prepare(Prepared& prepared, const Dense& op) {
  const Tensor& input = program_->tensors[op.input];
  const Tensor& output = program_->tensors[op.output];
  prepared.reference = !fits_packed_form(op, input, output);
  if (prepared.reference) return;
  const WeightLayout layout = weight_layout(op, input, output);
  prepared.groups.push_back(pack_layer(op.weights, op.channels, layout, 0, layout.outputs,
                                       {{0, 0, layout.taps}}, input.zero_point, program_->rounding,
                                       kernels_->packing));
  for (std::int64_t i = 0; i < images_; ++i) {
    prepared.rows.push_back(static_cast<std::int32_t>(i * input.size()));
  }
  prepared.image_bytes = images_ * input.size() + kImageSlack;
}

void FastKernels::prepare(Prepared& prepared, const DepthwiseConv2d& op) {
  prepared.taps = depthwise_taps(
      op, weight_layout(op, program_->tensors[op.input], program_->tensors[op.output]));
}

void FastKernels::prepare(Prepared& prepared, const Add& op) {
  prepared.tables = {operand_table(program_->tensors[op.a], op.scale_a, program_->rounding),
                     operand_table(program_->tensors[op.b], op.scale_b, program_->rounding)};
}

Scratch FastKernels::make_scratch() const {
  std::int64_t image = 0, sums = 0;
  for (std::size_t k = 0; k < prepared_.size(); ++k) {
    const Operation& operation = program_->operations[k];
    sums = std::max<std::int64_t>(sums, program_->tensors[output_of(operation)].channels);
    image = std::max(image, prepared_[k].image_bytes);
  }
  Scratch scratch;
  scratch.image.resize(image);
  scratch.sums.resize(sums);
  return scratch;
}

// One call of run(): picks the kernel for each kind of operation. All but dense go image by image.
struct FastKernels::Call {
  const FastKernels& kernels;
  const Step& step;
  const Prepared& prepared;
  const Tensor& input;
  const Tensor& output;  // of the step
  std::int64_t images;
  const std::int8_t* a;
  const std::int8_t* b;
  std::int8_t* out;
  Scratch& scratch;

  Rounding rounding() const { return kernels.program_->rounding; }

  template <class Body>
  void each_image(const Body& body) const {
    for (std::int64_t i = 0; i < images; ++i) body(a + i * input.size(), out + i * output.size());
  }

  // Clamps to the range of the layer, then to that of a pooling behind it.
  CodeRange range() const {
    const Tensor& own =
        kernels.program_->tensors[output_of(kernels.program_->operations[step.first])];
    return {own.zero_point, std::clamp(own.code_min, output.code_min, output.code_max),
            std::clamp(own.code_max, output.code_min, output.code_max)};
  }

  void multiply(const std::vector<std::int32_t>& rows, std::int64_t count, std::int8_t* to) const {
    const auto kernel =
        step.fused() ? kernels.kernels_->multiply_pooled : kernels.kernels_->multiply;
    for (const PackedLayer& group : prepared.groups) {
      kernel({scratch.image.data(), rows.data(), count, range(), to, output.channels}, group);
      to += group.outputs;
    }
  }

  void by_reference() const {
    const Program& program = *kernels.program_;
    each_image([&](const std::int8_t* x, std::int8_t* y) {
      run_reference(program, program.operations[step.first], x, nullptr, y);
    });
  }

  void operator()(const Dense&) const {
    if (prepared.reference) return by_reference();
    kernels.kernels_->load_image(
        {a, images, input.size(), 0, 0, 0, 0, input.zero_point, scratch.image.data()});
    multiply(prepared.rows, images, out);
  }
  void operator()(const Conv2d& op) const {
    if (prepared.reference) return by_reference();
    const Window& w = op.window;
    const std::int64_t channels = input.channels;
    const std::vector<std::int32_t>& rows = step.fused() ? prepared.pooled : prepared.rows;
    each_image([&](const std::int8_t* x, std::int8_t* y) {
      kernels.kernels_->load_image({x, input.height, input.width * channels, w.pad_top,
                                    w.pad_bottom, w.pad_left * channels, w.pad_right * channels,
                                    input.zero_point, scratch.image.data()});
      multiply(rows, std::ssize(rows), y);
    });
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

void FastKernels::run(const Step& step, std::int64_t images, const std::int8_t* a,
                      const std::int8_t* b, std::int8_t* out, Scratch& scratch) const {
  const Operation& operation = program_->operations[step.first];
  const Call call{*this,
                  step,
                  prepared_[step.first],
                  program_->tensors[inputs_of(operation)[0]],
                  program_->tensors[output_of(program_->operations[step.last])],
                  images,
                  a,
                  b,
                  out,
                  scratch};
  std::visit(call, operation);
}

std::string FastKernels::describe(const Step& step) const {
  const Operation& operation = program_->operations[step.first];
  const Prepared& prepared = prepared_[step.first];
  const std::string kind = kind_of(operation);
  if (prepared.reference) return kind + ", reference";
  if (prepared.groups.empty()) return kind + ", channelwise";
  return kind + (step.fused() ? " + max_pool2d, " : ", ") + kernels_->name + " in tiles of " +
         std::to_string(prepared.groups[0].tiles[0].panels * kPanel) + " channels";
}

}  // namespace pare::integer
