#include "compression/integer/geometry.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <type_traits>

#include "compression/integer/kernels/pixel_map.h"
#include "compression/integer/operations.h"
#include "framework/base/error.h"
#include "framework/base/names.h"

namespace pare::integer {
namespace {

std::string shape_text(std::int64_t height, std::int64_t width, std::int64_t channels) {
  return std::to_string(height) + " x " + std::to_string(width) + " x " + std::to_string(channels);
}

std::string shape_text(const Tensor& t) { return shape_text(t.height, t.width, t.channels); }

std::string range_text(std::int64_t low, std::int64_t high) {
  return std::to_string(low) + " .. " + std::to_string(high);
}

// Everything that the checks of one operation need to know.
struct Place {
  const Program& program;
  std::size_t index;
  const Tensor& input;
  const Tensor& output;

  [[noreturn]] void fail(const std::string& what) const {
    refuse(program, describe(program, index), what);
  }

  void expect(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) const {
    if (value < low || value > high) {
      fail(std::string(name) + " is " + std::to_string(value) + ", expected " +
           range_text(low, high));
    }
  }

  void expect_output(std::int64_t height, std::int64_t width, std::int64_t channels) const {
    if (output.height != height || output.width != width || output.channels != channels) {
      fail("output '" + output.name + "' is " + shape_text(output) + ", but the input '" +
           input.name + "' (" + shape_text(input) + ") gives " +
           shape_text(height, width, channels));
    }
  }

  // max pooling, average pooling, clamp and reshape pass codes on: both ends must mean the same by
  // a code.
  void expect_shared_grid() const {
    if (input.zero_point != output.zero_point || input.scale_bits != output.scale_bits) {
      fail("input '" + input.name + "' and output '" + output.name +
           "' must share scale and zero point, but do not");
    }
  }
};

// The number of windows along one side. pad < kernel on both ends makes every window touch the
// image: the first one ends behind its first row, the last one starts before its last row.
std::int64_t windows(const Place& at, const char* side, std::int64_t size, std::int64_t kernel,
                     std::int64_t stride, std::int64_t before, std::int64_t after) {
  const std::string name = side;
  at.expect(("kernel " + name).c_str(), kernel, 1, kMaxSide);
  at.expect(("stride " + name).c_str(), stride, 1, kMaxSide);
  at.expect(("padding before " + name).c_str(), before, 0, kernel - 1);
  at.expect(("padding after " + name).c_str(), after, 0, kernel - 1);
  if (kernel > size + before + after) {
    at.fail("kernel " + name + " is " + std::to_string(kernel) + ", more than the padded image (" +
            std::to_string(size + before + after) + ")");
  }
  return (size + before + after - kernel) / stride + 1;
}

void check_window(const Place& at, const Window& w, std::int64_t channels) {
  const std::int64_t rows =
      windows(at, "height", at.input.height, w.kernel_h, w.stride_h, w.pad_top, w.pad_bottom);
  const std::int64_t columns =
      windows(at, "width", at.input.width, w.kernel_w, w.stride_w, w.pad_left, w.pad_right);
  at.expect_output(rows, columns, channels);
}

// taps <= 2^48 by the caps on sides; both factors are at most 2^26 when they are multiplied.
void check_weight_count(const Place& at, const WeightLayout& layout) {
  at.expect("weights per output channel", layout.taps, 1, kMaxCodes);
  at.expect("number of weights", layout.count(), 1, kMaxCodes);
}

void check(const Place& at, const Conv2d& op) {
  at.expect("groups", op.groups, 1, at.input.channels);
  if (at.input.channels % op.groups != 0 || at.output.channels % op.groups != 0) {
    at.fail("groups is " + std::to_string(op.groups) + ", expected a divisor of the " +
            std::to_string(at.input.channels) + " input and " + std::to_string(at.output.channels) +
            " output channels");
  }
  check_window(at, op.window, at.output.channels);
  check_weight_count(at, weight_layout(op, at.input, at.output));
}

void check(const Place& at, const DepthwiseConv2d& op) {
  if (at.output.channels % at.input.channels != 0) {
    at.fail("output has " + std::to_string(at.output.channels) +
            " channels, expected a multiple of the input's " + std::to_string(at.input.channels));
  }
  check_window(at, op.window, at.output.channels);
  check_weight_count(at, weight_layout(op, at.input, at.output));
}

void check(const Place& at, const Dense& op) {
  at.expect_output(1, 1, at.output.channels);
  check_weight_count(at, weight_layout(op, at.input, at.output));
}

void check(const Place& at, const MaxPool2d& op) {
  at.expect_shared_grid();
  check_window(at, op.window, at.input.channels);
}

void check(const Place& at, const AveragePool2d& op) {
  at.expect_shared_grid();
  check_window(at, op.window, at.input.channels);
}

void check(const Place& at, const GlobalAverage&) { at.expect_output(1, 1, at.input.channels); }

void check(const Place& at, const Add& op) {
  at.expect_output(at.input.height, at.input.width, at.input.channels);
  const Tensor& b = at.program.tensors[op.b];
  if (b.height != at.input.height || b.width != at.input.width || b.channels != at.input.channels) {
    at.fail("inputs '" + at.input.name + "' (" + shape_text(at.input) + ") and '" + b.name + "' (" +
            shape_text(b) + ") must have the same shape");
  }
}

void check(const Place& at, const Clamp&) {
  at.expect_shared_grid();
  at.expect_output(at.input.height, at.input.width, at.input.channels);
}

void check(const Place& at, const Reshape&) {
  at.expect_shared_grid();
  if (at.input.size() != at.output.size()) {
    at.fail("input '" + at.input.name + "' (" + shape_text(at.input) + ") and output '" +
            at.output.name + "' (" + shape_text(at.output) +
            ") must have the same number of codes");
  }
  if (at.input.code_min < at.output.code_min || at.input.code_max > at.output.code_max) {
    at.fail("output '" + at.output.name + "' has code range " +
            range_text(at.output.code_min, at.output.code_max) + ", narrower than the input's " +
            range_text(at.input.code_min, at.input.code_max));
  }
}

std::string describe_tensor(const Program& program, std::size_t index) {
  return "tensor " + std::to_string(index) + " ('" +
         program.tensors[index].name.substr(0, kMaxNameLength) + "')";
}

void check_name(const Program& program, const std::string& where, std::string_view name) {
  if (is_plain_name(name, kMaxNameLength)) return;
  refuse(program, where,
         "the name has " + std::to_string(name.size()) + " bytes: '" +
             std::string(name.substr(0, kMaxNameLength)) + "', expected 1 to " +
             std::to_string(kMaxNameLength) + " letters, digits, '_', '-' or '.', no '.' first");
}

void check_names(const Program& program) {
  check_name(program, "program", program.name);
  std::set<std::string_view> names;
  for (std::size_t t = 0; t < program.tensors.size(); ++t) {
    check_name(program, "tensor " + std::to_string(t), program.tensors[t].name);
    if (names.insert(program.tensors[t].name).second) continue;
    refuse(program, describe_tensor(program, t),
           "has the name of an earlier tensor, expected names that differ");
  }
}

void check_tensor(const Program& program, std::size_t index) {
  const Tensor& t = program.tensors[index];
  const auto expect = [&](const char* name, std::int64_t value, std::int64_t low,
                          std::int64_t high) {
    if (value >= low && value <= high) return;
    refuse(
        program, describe_tensor(program, index),
        std::string(name) + " is " + std::to_string(value) + ", expected " + range_text(low, high));
  };
  expect("height", t.height, 1, kMaxSide);
  expect("width", t.width, 1, kMaxSide);
  expect("channels", t.channels, 1, kMaxSide);
  expect("number of codes", t.size(), 1, kMaxCodes);
  expect("zero point", t.zero_point, -128, 127);
  expect("code_min", t.code_min, -128, 127);
  expect("code_max", t.code_max, t.code_min, 127);
  // A positive, finite, normal float32: its exponent field is neither 0 nor 255 and its sign bit is
  // clear.
  expect("exponent field of the scale", t.scale_bits >> 23, 1, 254);
}

void check_pixel_codes(const Program& program) {
  if (program.pixel_codes.empty()) return;
  const Tensor& input = program.tensors[program.input];
  if (std::ssize(program.pixel_codes) != input.channels) {
    refuse(program, "pixel tables",
           "expected none or one per input channel (" + std::to_string(input.channels) + "), got " +
               std::to_string(program.pixel_codes.size()));
  }
  for (const auto& table : program.pixel_codes) {
    for (const std::int8_t code : table) {
      if (code >= input.code_min && code <= input.code_max) continue;
      refuse(program, "pixel tables",
             "code " + std::to_string(code) + " is outside the input's " +
                 range_text(input.code_min, input.code_max));
    }
  }
}

void check_total(const Program& program) {
  std::int64_t codes = 0;
  for (const Tensor& t : program.tensors) codes += t.size();
  if (codes <= kMaxTotalCodes) return;
  refuse(program, "program",
         "all tensors have " + std::to_string(codes) + " codes, expected at most " +
             std::to_string(kMaxTotalCodes));
}

// Without overflow: a padded image has less than 2^52 codes, and an output less than 2^26, each of
// at most 2^32 taps.
template <class Op>
std::int64_t steps_of(const Op& op, const Tensor& input, const Tensor& output) {
  Window window;
  if constexpr (requires { op.window; }) window = op.window;
  std::int64_t taps = std::int64_t{window.kernel_h} * window.kernel_w;
  if constexpr (requires { op.weights; }) taps = weight_layout(op, input, output).taps;
  Tensor image = input;
  if constexpr (std::is_same_v<Op, DepthwiseConv2d>) image.channels = output.channels;
  return output.size() * taps + padded_image_bytes(window, image);
}

}  // namespace

void refuse(const Program& program, const std::string& where, const std::string& what) {
  throw DataError(
      printable("model '" + program.name.substr(0, kMaxNameLength) + "': " + where + ": " + what));
}

std::string describe(const Program& program, std::size_t index) {
  const Operation& operation = program.operations[index];
  const std::int32_t output = output_of(operation);
  const bool known = output >= 0 && output < std::ssize(program.tensors);
  return "operation " + std::to_string(index) + " (" + kind_of(operation) +
         (known ? " '" + program.tensors[output].name + "'" : "") + ")";
}

void check_tensors(const Program& program) {
  const auto expect = [&](const char* name, std::int64_t value, std::int64_t low,
                          std::int64_t high) {
    if (value >= low && value <= high) return;
    refuse(
        program, "program",
        std::string(name) + " is " + std::to_string(value) + ", expected " + range_text(low, high));
  };
  expect("rounding", static_cast<int>(program.rounding), 0, 1);
  expect("number of tensors", std::ssize(program.tensors), 1, kMaxTensors);
  expect("number of operations", std::ssize(program.operations), 0, kMaxOperations);
  expect("input", program.input, 0, std::ssize(program.tensors) - 1);
  expect("output", program.output, 0, std::ssize(program.tensors) - 1);
  check_names(program);
  for (std::size_t t = 0; t < program.tensors.size(); ++t) check_tensor(program, t);
  check_total(program);
  check_pixel_codes(program);
}

std::int64_t work_of(const Program& program) {
  std::int64_t work = 0;
  for (const Operation& operation : program.operations) {
    const Tensor& input = program.tensors[inputs_of(operation)[0]];
    const Tensor& output = program.tensors[output_of(operation)];
    const std::int64_t steps =
        std::visit([&](const auto& op) { return steps_of(op, input, output); }, operation);
    work += std::min(steps, 2 * kMaxWork);
  }
  return work;
}

void check_work(const Program& program) {
  const std::int64_t work = work_of(program);
  if (work <= kMaxWork) return;
  refuse(program, "program",
         "an image takes " + std::to_string(work) + " steps or more, expected at most " +
             std::to_string(kMaxWork));
}

void check_geometry(const Program& program, std::size_t index) {
  const Operation& operation = program.operations[index];
  const auto check_index = [&](std::int32_t t) {
    if (t >= 0 && t < std::ssize(program.tensors)) return;
    refuse(program, describe(program, index),
           "tensor index " + std::to_string(t) + " is outside the table of " +
               std::to_string(program.tensors.size()));
  };
  const Inputs inputs = inputs_of(operation);
  for (const std::int32_t t : inputs) check_index(t);
  check_index(output_of(operation));
  const Place at{program, index, program.tensors[inputs[0]], program.tensors[output_of(operation)]};
  std::visit([&](const auto& op) { check(at, op); }, operation);
}

}  // namespace pare::integer
