#include "compression/exporters/c99/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "compression/exporters/c99/kernels.h"
#include "compression/exporters/c99/text.h"
#include "compression/integer/operations.h"

namespace pare::c99 {
namespace {

using integer::Program;
using integer::Tensor;
using integer::Window;

constexpr const char* kTop = R"(#include "@name@.h" /* Says what this is; both are generated. */

#include <string.h>

/* Where tables go: "static const" and, for instance, a section of the linker's script. */
#ifndef @NAME@_TABLE
#define @NAME@_TABLE static const
#endif

/* What happens before and behind each layer: a timer, or nothing. */
#ifndef @NAME@_LAYER_BEGIN
#define @NAME@_LAYER_BEGIN(layer) ((void)0)
#endif
#ifndef @NAME@_LAYER_END
#define @NAME@_LAYER_END(layer) ((void)0)
#endif
)";

constexpr const char* kRun = R"(
static int run_codes({io} *output, int8_t *arena)
{{
{steps}  {copy_out}
  return @NAME@_OK;
}}

int @name@_run(const {io} *input, {io} *output, void *arena, size_t arena_size)
{{
  int8_t *codes;
{locals}  if (input == NULL || output == NULL || arena == NULL) return @NAME@_ERROR_NULL;
  if (arena_size < @NAME@_ARENA_SIZE) return @NAME@_ERROR_ARENA;
  codes = (int8_t *)arena + @NAME@_INPUT_OFFSET;
{copy_in}  return run_codes(output, (int8_t *)arena);
}}
)";

constexpr const char* kRunPixels = R"(
@NAME@_TABLE int8_t pixel_codes[{channels}][256] = {{
{tables}}};

int @name@_run_pixels(const uint8_t *pixels, {io} *output, void *arena, size_t arena_size)
{{
  int8_t *codes;
  int32_t i;
  if (pixels == NULL || output == NULL || arena == NULL) return @NAME@_ERROR_NULL;
  if (arena_size < @NAME@_ARENA_SIZE) return @NAME@_ERROR_ARENA;
  codes = (int8_t *)arena + @NAME@_INPUT_OFFSET;
  for (i = 0; i < @NAME@_INPUT_SIZE; ++i) codes[i] = pixel_codes[{table}][pixels[i]];
  return run_codes(output, (int8_t *)arena);
}}
)";

constexpr const char* kLabel = R"(
int32_t @name@_label(const {io} *output)
{{
  int32_t i, best = 0;
  for (i = 1; i < @NAME@_OUTPUT_SIZE; ++i) {{
    if (output[i] > output[best]) best = i;
  }}
  return best;
}}
)";

class Writer {
 public:
  Writer(const C99Model& model, bool bytes)
      : model_(model), program_(*model.program), io_(bytes ? "uint8_t" : "int8_t"), bytes_(bytes) {}

  std::string text() {
    for (std::size_t s = 0; s < model_.steps.size(); ++s) write_step(s);
    return kTop + types() + kernels() + data_ + run() + run_pixels() +
           fmt::format(fmt::runtime(kLabel), fmt::arg("io", io_));
  }

 private:
  const Tensor& tensor(std::int32_t index) const {
    return program_.tensors[static_cast<std::size_t>(index)];
  }
  // A place in the arena.
  std::string place(std::int32_t index) const {
    return fmt::format("arena + {}", model_.plan.offsets[static_cast<std::size_t>(index)]);
  }

  // A dimension, remembered for the choice of side_t.
  std::int32_t side(std::int64_t value) {
    largest_side_ = std::max(largest_side_, value);
    return static_cast<std::int32_t>(value);
  }

  std::string window(const Tensor& in, const Tensor& out, const Window& w) {
    return fmt::format("{{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}}", side(in.height),
                       side(in.width), side(in.channels), side(out.height), side(out.width),
                       side(w.kernel_h), side(w.kernel_w), side(w.stride_h), side(w.stride_w),
                       w.pad_top, w.pad_left);
  }

  static std::string range(const Tensor& t) {
    return fmt::format("{{{}, {}, {}}}", t.zero_point, t.code_min, t.code_max);
  }

  template <class Values>
  void table(const char* type, const std::string& name, const Values& values) {
    data_ += fmt::format("@NAME@_TABLE {} {}[{}] = {};\n", type, name, values.size(),
                         initializer(values));
  }

  // The tables of the weights, and the initializer of weights_t.
  std::string weights(const std::string& prefix, const WeightTable& t) {
    if (t.plain)
      table("weight_t", prefix + "_weights", t.values);
    else if (!t.stream.empty())
      table("uint8_t", prefix + "_stream", t.stream);
    if (!t.levels.empty()) table("weight_t", prefix + "_levels", t.levels);
    if (!uses_streams()) return fmt::format("{{{}_weights}}", prefix);
    return fmt::format("{{{}, {}, {}, {}, {}, {}}}", t.plain ? prefix + "_weights" : "NULL",
                       t.plain ? "NULL" : prefix + "_stream",
                       t.levels.empty() ? "NULL" : prefix + "_levels", t.lowest, t.code_bits,
                       t.gap_bits);
  }

  void write_layer(std::size_t s) {
    const C99Step& step = model_.steps[s];
    const C99Layer& l = *step.layer;
    const auto& first = program_.operations[step.step.first];
    const std::string prefix = fmt::format("layer{}", s);
    const std::string weights_text = weights(prefix, l.table);
    std::vector<std::int32_t> multipliers;
    std::vector<int> shifts;
    for (const integer::Multiplier m : l.channels->multipliers) {
      multipliers.push_back(m.value);
      shifts.push_back(m.shift);
    }
    table("int32_t", prefix + "_bias", l.channels->bias);
    table("int32_t", prefix + "_multiplier", multipliers);
    table("int8_t", prefix + "_shift", shifts);
    Tensor in = tensor(inputs_of(first)[0]), out = tensor(output_of(first));
    if (l.dense) in.channels = static_cast<std::int32_t>(in.size()), in.height = in.width = 1;
    Window pool;
    if (step.step.fused()) {
      pool = std::get<integer::MaxPool2d>(program_.operations[step.step.last]).window;
      const Tensor& pooled = tensor(step.step.output);
      // One clamp behind the other.
      out.code_min = std::clamp(out.code_min, pooled.code_min, pooled.code_max);
      out.code_max = std::clamp(out.code_max, pooled.code_min, pooled.code_max);
      out.height = pooled.height;
      out.width = pooled.width;
    }
    data_ += fmt::format(
        "static const layer_t {} = {{\n  {}, {}, {}, {}, {}, {}, {}, {}, {},\n  {},\n  {},\n"
        "  {}_bias, {}_multiplier, {}_shift{}\n}};\n",
        prefix, window(in, out, l.window), side(l.depth), side(l.per_group), side(l.outputs),
        side(pool.kernel_h), side(pool.kernel_w), side(pool.stride_h), side(pool.stride_w),
        in.zero_point, range(out), weights_text, prefix, prefix, prefix,
        has_fractions() ? fmt::format(", {}", l.channels->fraction_bits) : "");
    const std::string from = place(inputs_of(first)[0]);
    const std::string to = place(step.step.output);
    if (l.dense && !l.table.plain) {
      uses_.dense_stream = true;
      call(s, fmt::format("dense_stream(&{}, {}, {})", prefix, from, to));
      return;
    }
    uses_.convolve = true;
    uses_.rows = uses_.rows || l.unpacks();
    const char* cast = model_.weight_bytes == 1 ? "" : "(weight_t *)(void *)";
    const std::string row =
        l.unpacks() ? fmt::format("{}(arena + {})", cast, model_.plan.scratch[s]) : "NULL";
    call(s, fmt::format("convolve(&{}, {}, {}, {})", prefix, from, to, row));
  }

  void write_step(std::size_t s) {
    const C99Step& step = model_.steps[s];
    data_ += fmt::format("\n/* {}: {}{} */\n", step.name, step.kind,
                         step.step.fused() ? " and the max pooling behind it" : "");
    if (step.layer) return write_layer(s);
    std::visit([&](const auto& op) { write(s, op); }, program_.operations[step.step.first]);
  }

  void write(std::size_t s, const integer::MaxPool2d& op) {
    uses_.max_pool = uses_.taps = uses_.clamp_code = true;
    pool(s, op, "max_pool");
  }
  void write(std::size_t s, const integer::AveragePool2d& op) {
    uses_.average_pool = uses_.taps = uses_.clamp_code = true;
    pool(s, op, "average_pool");
  }
  template <class Pool>
  void pool(std::size_t s, const Pool& op, const char* kernel) {
    data_ += fmt::format("static const window_t window{} = {};\n", s,
                         window(tensor(op.input), tensor(op.output), op.window));
    data_ += fmt::format("static const range_t range{} = {};\n", s, range(tensor(op.output)));
    call(s, fmt::format("{}(&window{}, &range{}, {}, {})", kernel, s, s, place(op.input),
                        place(op.output)));
  }

  void write(std::size_t s, const integer::GlobalAverage& op) {
    uses_.global_average = uses_.requantize = true;
    const Tensor& in = tensor(op.input);
    data_ += fmt::format("static const global_average_t average{} = {{{}, {}, {}, {}, {}, {}}};\n",
                         s, in.height * in.width, in.channels, op.multiplier.value,
                         op.multiplier.shift, in.zero_point, range(tensor(op.output)));
    call(s,
         fmt::format("global_average(&average{}, {}, {})", s, place(op.input), place(op.output)));
  }

  void write(std::size_t s, const integer::Add& op) {
    uses_.add = uses_.requantize = true;
    data_ += fmt::format("static const add_t add{} = {{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}}};\n",
                         s, tensor(op.output).size(), op.scale_a.value, op.scale_b.value,
                         op.scale_output.value, op.scale_a.shift, op.scale_b.shift,
                         op.scale_output.shift, tensor(op.a).zero_point, tensor(op.b).zero_point,
                         range(tensor(op.output)));
    call(s, fmt::format("add(&add{}, {}, {}, {})", s, place(op.a), place(op.b), place(op.output)));
  }

  void write(std::size_t s, const integer::Clamp& op) {
    uses_.clamp = uses_.clamp_code = true;
    data_ += fmt::format("static const range_t range{} = {};\n", s, range(tensor(op.output)));
    call(s, fmt::format("clamp_all(&range{}, {}, {}, {})", s, tensor(op.output).size(),
                        place(op.input), place(op.output)));
  }

  void write(std::size_t, const integer::Reshape&) { data_ += "/* the same codes */\n"; }

  // Layers are written by write_layer.
  template <class Layer>
  void write(std::size_t, const Layer&) {}

  void call(std::size_t s, const std::string& what) {
    steps_ +=
        fmt::format("  @NAME@_LAYER_BEGIN({});\n  {};\n  @NAME@_LAYER_END({});\n", s, what, s);
  }

  bool uses_streams() const {
    return std::any_of(model_.steps.begin(), model_.steps.end(),
                       [](const C99Step& s) { return s.layer && !s.layer->table.plain; });
  }
  bool has_fractions() const {
    return std::any_of(model_.steps.begin(), model_.steps.end(), [](const C99Step& s) {
      return s.layer && s.layer->channels->fraction_bits > 0;
    });
  }
  bool uses_layers() const { return uses_.convolve || uses_.dense_stream; }

  std::string types() const {
    std::string text = fmt::format("\ntypedef {} side_t;\ntypedef {} weight_t;\n",
                                   largest_side_ < 32768 ? "int16_t" : "int32_t",
                                   model_.weight_bytes == 1 ? "int8_t" : "int16_t");
    text += kTypes;
    if (!uses_layers()) return text;
    if (uses_streams()) {
      text +=
          "\n/* [output channel][tap], sign and zero point applied. Plain, or a stream of codes. "
          "*/\n"
          "typedef struct {\n  const weight_t *plain;\n  const uint8_t *stream;\n"
          "  const weight_t *levels; /* code -> weight; NULL: lowest + code */\n"
          "  int16_t lowest;\n  uint8_t code_bits, gap_bits;\n} weights_t;\n";
    } else {
      text +=
          "\n/* [output channel][tap], sign and zero point applied. */\n"
          "typedef struct {\n  const weight_t *plain;\n} weights_t;\n";
    }
    return text + kLayer + (has_fractions() ? kFractionBits : "") + "} layer_t;\n";
  }

  std::string kernels() const {
    std::string text;
    const auto add = [&](bool used, const char* kernel) { text += used ? kernel : ""; };
    add(uses_.taps || uses_.convolve, kTaps);
    add(uses_layers() || uses_.requantize,
        program_.rounding == integer::Rounding::twice ? kScaleTwice : kScaleOnce);
    add(uses_layers() || uses_.requantize, kRequantize);
    add(uses_.clamp_code, kClampCode);
    add(uses_streams(), kStream);
    add(uses_layers(), has_fractions() ? kFineBias : kWholeBias);
    add(uses_.convolve, uses_.rows ? kAnyRow : kPlainRow);
    add(uses_.convolve, kConvolve);
    add(uses_.dense_stream, kDenseStream);
    add(uses_.max_pool, kMaxPool);
    add(uses_.average_pool, kAveragePool);
    add(uses_.global_average, kGlobalAverage);
    add(uses_.add, kAdd);
    add(uses_.clamp, kClamp);
    return text;
  }

  std::string run() const {
    const Tensor& in = tensor(program_.input);
    const bool limited = in.code_min > -128 || in.code_max < 127;
    std::string copy_in;
    if (limited) {
      copy_in = fmt::format(
          "  for (i = 0; i < @NAME@_INPUT_SIZE; ++i) {{\n    const int32_t code = input[i]{};\n"
          "    codes[i] = (int8_t)(code < {} ? {} : code > {} ? {} : code);\n  }}\n",
          bytes_ ? " - 128" : "", in.code_min, in.code_min, in.code_max, in.code_max);
    } else if (bytes_) {
      copy_in = "  for (i = 0; i < @NAME@_INPUT_SIZE; ++i) codes[i] = (int8_t)(input[i] - 128);\n";
    } else {
      copy_in = "  if (input != codes) memmove(codes, input, @NAME@_INPUT_SIZE);\n";
    }
    const std::string from = place(program_.output);
    const std::string copy_out =
        bytes_ ? fmt::format(
                     "int32_t i;\n  for (i = 0; i < @NAME@_OUTPUT_SIZE; ++i) output[i] = "
                     "(uint8_t)(*({} + i) + 128);",
                     from)
               : fmt::format("memcpy(output, {}, @NAME@_OUTPUT_SIZE);", from);
    std::string text =
        fmt::format(fmt::runtime(kRun), fmt::arg("io", io_), fmt::arg("steps", steps_),
                    fmt::arg("copy_out", copy_out), fmt::arg("copy_in", copy_in),
                    fmt::arg("locals", limited || bytes_ ? "  int32_t i;\n" : ""));
    return text;
  }

  std::string run_pixels() const {
    if (program_.pixel_codes.empty()) return "";
    std::string tables;
    for (const auto& codes : program_.pixel_codes) tables += "  " + initializer(codes) + ",\n";
    tables.erase(tables.size() - 2, 1);
    const std::size_t channels = program_.pixel_codes.size();
    return fmt::format(fmt::runtime(kRunPixels), fmt::arg("channels", channels),
                       fmt::arg("tables", tables), fmt::arg("io", io_),
                       fmt::arg("table", channels == 1 ? "0" : fmt::format("i % {}", channels)));
  }

  struct Uses {
    bool taps = false, requantize = false, clamp_code = false, convolve = false, rows = false,
         dense_stream = false, max_pool = false, average_pool = false, global_average = false,
         add = false, clamp = false;
  };

  const C99Model& model_;
  const Program& program_;
  const char* io_;
  const bool bytes_;
  Uses uses_;
  std::int64_t largest_side_ = 0;
  std::string data_, steps_;
};

}  // namespace

std::string source_text(const C99Model& model, bool bytes) { return Writer(model, bytes).text(); }

}  // namespace pare::c99
