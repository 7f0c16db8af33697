#include "compression/integer/kernels/fast.h"

#include <algorithm>
#include <span>
#include <type_traits>
#include <utility>

#include "compression/integer/kernels/pixel_map.h"
#include "compression/integer/kernels/pools.h"
#include "compression/integer/kernels/reference.h"

namespace pare::integer {
namespace {

bool has_stacked(const PackedLayer& layer) {
  return std::any_of(layer.tiles.begin(), layer.tiles.end(),
                     [](const Tile& tile) { return tile.stacked > 0; });
}

}  // namespace

FastKernels::FastKernels(const Program& program, const KernelSet& kernels, std::int64_t images)
    : program_(&program), kernels_(&kernels), images_(images) {
  const std::vector<bool> packed = packed_operations(program);
  for (std::size_t k = 0; k < program.operations.size(); ++k) {
    Prepared& prepared = prepared_.emplace_back();
    prepared.reference = !packed[k];
    if (prepared.reference) continue;
    std::visit([&](const auto& op) { prepare(prepared, op); }, program.operations[k]);
  }
}

// Whether the layer runs on bits.
template <class Layer>
bool FastKernels::prepare_bits(Prepared& prepared, const Layer& op,
                               const std::vector<TapRun>& runs) const {
  if (kernels_->bits.multiply == nullptr) return false;
  const Tensor& input = program_->tensors[op.input];
  const WeightLayout layout = weight_layout(op, input, program_->tensors[op.output]);
  prepared.bits = pack_bits(op.weights, op.channels, layout, runs, input, program_->rounding);
  return prepared.bits.has_value();
}

// Whether the layer, in windows or not, is cheaper by minimal filtering.
bool FastKernels::prepare_winograd(Prepared& prepared, const Conv2d& op,
                                   const PackedLayer& dense) const {
  const WinogradKernels& set = kernels_->winograd;
  if (set.multiply == nullptr) return false;
  std::int64_t cost = packed_cost(dense, set.costs);
  if (prepared.sparse)
    cost = std::min(cost, 2 * sparse_cost(*prepared.sparse, kernels_->sparse.costs));
  prepared.winograd = pack_winograd(op, program_->tensors[op.input], program_->tensors[op.output],
                                    dense, set.costs, cost);
  return prepared.winograd.has_value();
}

// The output channels [first, first + outputs), in another form where that is cheaper and they are
// all.
template <class Layer>
void FastKernels::prepare_group(Prepared& prepared, const Layer& op, const WeightLayout& layout,
                                std::int64_t first, std::int64_t outputs,
                                const std::vector<TapRun>& runs,
                                const std::vector<TapRun>& stacked) const {
  const std::int32_t zero_point = program_->tensors[op.input].zero_point;
  PackedLayer group = pack_layer(op.weights, op.channels, layout, first, outputs, runs, zero_point,
                                 program_->rounding, kernels_->packing, stacked);
  if (kernels_->sparse.multiply != nullptr && outputs == layout.outputs) {
    prepared.sparse = pack_sparse(op.weights, op.channels, layout, runs, group,
                                  kernels_->sparse.costs, kernels_->packing.small);
  }
  if constexpr (std::is_same_v<Layer, Conv2d>) {
    if (outputs == layout.outputs && prepare_winograd(prepared, op, group)) {
      prepared.sparse.reset();
      return;
    }
  }
  if (!prepared.sparse) prepared.groups.push_back(std::move(group));
}

void FastKernels::prepare(Prepared& prepared, const Conv2d& op) {
  const Tensor& input = program_->tensors[op.input];
  const Tensor& output = program_->tensors[op.output];
  prepared.rows = pixel_rows(op.window, input, output);
  prepared.pooled = pooled_rows(op.window, input, output);
  if (fits_bits(op, input) && prepare_bits(prepared, op, tap_runs(op, input, output, 0))) {
    for (std::int32_t& row : prepared.rows) row /= 8;
    for (std::int32_t& row : prepared.pooled) row /= 8;
    prepared.image_bytes = input.size() / 8 + kImageSlack;
    return;
  }
  const WeightLayout layout = weight_layout(op, input, output);
  const std::int64_t outputs = layout.outputs / op.groups;
  const std::int64_t image = padded_image_bytes(op.window, input);
  prepared.image_bytes = image + kImageSlack;
  for (std::int32_t g = 0; g < op.groups; ++g) {
    const std::vector<TapRun> runs = tap_runs(op, input, output, g);
    std::vector<TapRun> stacked;
    if (kernels_->packing.neighbours && stacking_pays(op, input, output))
      stacked = stack_rows(runs, prepared.image_bytes);
    prepare_group(prepared, op, layout, g * outputs, outputs, runs, stacked);
  }
  if (!prepared.groups.empty() && has_stacked(prepared.groups[0])) {
    prepared.stack = prepared.image_bytes;
    prepared.image_bytes += kEntryTaps * image + kImageSlack;
  }
  if (!prepared.winograd) return;
  prepared.image_bytes += padded_row_bytes(op.window, input) + input.channels;
  prepared.rows = prepared.pooled = {};  // it finds its pixels itself
}

void FastKernels::prepare(Prepared& prepared, const Dense& op) {
  const Tensor& input = program_->tensors[op.input];
  const Tensor& output = program_->tensors[op.output];
  const WeightLayout layout = weight_layout(op, input, output);
  const std::vector<TapRun> runs = {{0, 0, layout.taps}};
  const bool on_bits = prepare_bits(prepared, op, runs);
  if (!on_bits) prepare_group(prepared, op, layout, 0, layout.outputs, runs);
  const std::int64_t bytes = on_bits ? (input.size() + 7) / 8 : input.size();
  for (std::int64_t i = 0; i < images_; ++i)
    prepared.rows.push_back(static_cast<std::int32_t>(i * bytes));
  prepared.image_bytes = images_ * bytes + kImageSlack;
  if (!prepared.groups.empty() && prepared.groups[0].words)
    prepared.words = input.size() + kImageSlack;
}

void FastKernels::prepare(Prepared& prepared, const DepthwiseConv2d& op) {
  Tensor image = program_->tensors[op.input];
  const Tensor& output = program_->tensors[op.output];
  image.channels = output.channels;
  prepared.depthwise = pack_depthwise(*program_, op, padded_row_bytes(op.window, image),
                                      kernels_->packing.input_offset);
  prepared.rows = pixel_rows(op.window, image, output);
  prepared.image_bytes = padded_image_bytes(op.window, image) + kImageSlack;
}

void FastKernels::prepare(Prepared& prepared, const GlobalAverage& op) {
  prepared.average = make_average_job(*program_, op, kernels_->packing.input_offset);
  prepared.image_bytes = program_->tensors[op.input].size() + kImageSlack;
}

void FastKernels::prepare(Prepared& prepared, const Add& op) {
  prepared.add = make_add_job(*program_, op);
}

Scratch FastKernels::make_scratch() const {
  std::int64_t image = 0, words = 0, sums = 0, transformed = 0;  // input channels
  for (std::size_t k = 0; k < prepared_.size(); ++k) {
    const Operation& operation = program_->operations[k];
    sums = std::max<std::int64_t>(sums, program_->tensors[output_of(operation)].channels);
    image = std::max(image, prepared_[k].image_bytes);
    words = std::max(words, prepared_[k].words);
    if (prepared_[k].winograd) transformed = std::max(transformed, prepared_[k].winograd->inputs);
  }
  Scratch scratch;
  scratch.image.resize(image);
  scratch.words.resize(words);
  scratch.sums.resize(sums);
  if (transformed > 0) {
    scratch.patches.resize(kWinogradPlaces * kWinogradTiles * transformed);
    scratch.products.resize(kWinogradPlaces * kWinogradTiles * kPanel);
  }
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

  template <class Body>
  void each_image(const Body& body) const {
    for (std::int64_t i = 0; i < images; ++i) body(a + i * input.size(), out + i * output.size());
  }

  // What the step's first operation writes, where it stands alone.
  const Tensor& own_output() const {
    if (!step.fused()) return output;
    return kernels.program_->tensors[output_of(kernels.program_->operations[step.first])];
  }

  // Clamps to the range of the layer, then to that of a pooling behind it.
  CodeRange range() const {
    const Tensor& own = own_output();
    return {own.zero_point, std::clamp(own.code_min, output.code_min, output.code_max),
            std::clamp(own.code_max, output.code_min, output.code_max)};
  }

  // By whichever form the layer was prepared in. `right`: see MultiplyJob::step.
  void multiply(const std::vector<std::int32_t>& rows, std::int64_t count, std::int64_t right,
                std::int8_t* to) const {
    const KernelSet& set = *kernels.kernels_;
    MultiplyJob job{.image = scratch.image.data(),
                    .rows = rows.data(),
                    .count = count,
                    .range = range(),
                    .out = to,
                    .stride = output.channels,
                    .step = right,
                    .words = words(),
                    .backwards = scratch.backwards};
    if (prepared.bits) {
      (step.fused() ? set.bits.multiply_pooled : set.bits.multiply)(job, *prepared.bits);
    } else if (prepared.sparse) {
      (step.fused() ? set.sparse.multiply_pooled : set.sparse.multiply)(job, *prepared.sparse);
    }
    for (const PackedLayer& group : prepared.groups) {
      (step.fused() ? set.multiply_pooled : set.multiply)(job, group);
      job.out += group.outputs;
    }
  }

  void multiply_winograd(const Window& window, std::int8_t* to) const {
    const WinogradKernels& set = kernels.kernels_->winograd;
    const Tensor& whole = own_output();
    const WinogradJob job{scratch.image.data(),
                          padded_row_bytes(window, input),
                          whole.height,
                          whole.width,
                          range(),
                          to,
                          output.channels,
                          scratch.patches.data(),
                          scratch.products.data()};
    (step.fused() ? set.multiply_pooled : set.multiply)(job, *prepared.winograd);
  }

  void load_bits(const std::int8_t* codes, std::uint8_t* bits) const {
    codes_to_bits(std::span(codes, static_cast<std::size_t>(input.size())), input.code_min, bits);
  }

  void load_image(const Window& w, const std::int8_t* codes, std::int64_t repeat) const {
    const std::int64_t channels = input.channels;
    kernels.kernels_->load_image({codes, input.height, input.width * channels, w.pad_top,
                                  w.pad_bottom, w.pad_left * channels, w.pad_right * channels,
                                  input.zero_point, scratch.image.data(), prepared.stack, repeat});
  }

  // One image's inputs are made words once; those of many would not stay in the cache.
  std::int16_t* words() const {
    return prepared.words > 0 && images == 1 ? scratch.words.data() : nullptr;
  }

  void by_reference() const {
    const Program& program = *kernels.program_;
    each_image([&](const std::int8_t* x, std::int8_t* y) {
      run_reference(program, program.operations[step.first], x, nullptr, y);
    });
  }

  void operator()(const Dense&) const {
    if (prepared.reference) return by_reference();
    if (prepared.bits) {
      for (std::int64_t i = 0; i < images; ++i)
        load_bits(a + i * input.size(), scratch.image.data() + prepared.rows[i]);
    } else {
      kernels.kernels_->load_image({a, images, input.size(), 0, 0, 0, 0, input.zero_point,
                                    scratch.image.data(), 0, 1, words()});
    }
    multiply(prepared.rows, images, 0, out);
  }
  void operator()(const Conv2d& op) const {
    if (prepared.reference) return by_reference();
    const std::vector<std::int32_t>& rows = step.fused() ? prepared.pooled : prepared.rows;
    each_image([&](const std::int8_t* x, std::int8_t* y) {
      if (prepared.bits) {
        load_bits(x, scratch.image.data());
      } else {
        load_image(op.window, x, 1);
      }
      if (prepared.winograd) return multiply_winograd(op.window, y);
      multiply(rows, std::ssize(rows), pixel_step(op.window, input), y);
    });
  }
  void operator()(const DepthwiseConv2d& op) const {
    if (prepared.reference) return by_reference();
    const std::int64_t repeat = output.channels / input.channels;
    each_image([&](const std::int8_t* x, std::int8_t* y) {
      load_image(op.window, x, repeat);
      kernels.kernels_->multiply_depthwise({scratch.image.data(), prepared.rows.data(),
                                            std::ssize(prepared.rows), range(), y, output.channels},
                                           prepared.depthwise);
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
  void operator()(const GlobalAverage&) const {
    each_image([&](const std::int8_t* x, std::int8_t* y) {
      load_image({}, x, 1);
      kernels.kernels_->average(*prepared.average, scratch.image.data(), y);
    });
  }
  void operator()(const Add&) const {
    const bool swapped = prepared.add->swapped;
    kernels.kernels_->add(*prepared.add, images * output.size(), swapped ? b : a, swapped ? a : b,
                          out);
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
                  program_->tensors[step.inputs[0]],
                  program_->tensors[step.output],
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
  const std::string kind =
      std::string(kind_of(operation)) + (step.fused() ? " + max_pool2d, " : ", ");
  if (prepared.reference) return kind + "reference";
  if (prepared.bits) return kind + kernels_->name + " on bits";
  if (prepared.sparse) return kind + kernels_->name + " in windows";
  if (prepared.winograd) return kind + kernels_->name + " by minimal filtering";
  if (prepared.groups.empty()) {
    const bool set = prepared.add || prepared.average || prepared.depthwise.channels > 0;
    return kind + (set ? kernels_->name : "portable");
  }
  const std::vector<Tile>& tiles = prepared.groups[0].tiles;
  const Tile& tile = tiles[0];
  return kind + kernels_->name + " in tiles of " + std::to_string(tile.channels()) + " channels" +
         (tile.columns > 1 ? " with shared columns" : "") +
         (tiles.back().pixels ? " with pixels in lanes" : "") +
         (prepared.stack > 0 ? " with stacked rows" : "");
}

}  // namespace pare::integer
