#include "compression/integer/kernels/reference.h"

#include <algorithm>

#include "compression/integer/operations.h"

namespace pare::integer {
namespace {

// One image's worth of an operation: its tensors and their codes.
struct Image {
  const Program& program;
  const Tensor& input;
  const Tensor& output;
  const std::int8_t* a;
  const std::int8_t* b;
  std::int8_t* out;

  std::int8_t finish(std::int32_t accumulator, Multiplier m) const {
    return static_cast<std::int8_t>(requantize(accumulator, m, program.rounding, output.zero_point,
                                               output.code_min, output.code_max));
  }
  std::int8_t clamp(std::int32_t code) const {
    return static_cast<std::int8_t>(clamp_code(code, output.code_min, output.code_max));
  }
};

// Calls tap(ky, kx, pixel) for the taps of output pixel (y, x) that lie inside the image; pixel =
// iy * width + ix.
template <class Tap>
void for_each_tap(const Window& w, const Tensor& input, std::int32_t y, std::int32_t x,
                  const Tap& tap) {
  for (std::int32_t ky = 0; ky < w.kernel_h; ++ky) {
    for (std::int32_t kx = 0; kx < w.kernel_w; ++kx) {
      const std::int32_t iy = y * w.stride_h - w.pad_top + ky;
      const std::int32_t ix = x * w.stride_w - w.pad_left + kx;
      if (iy < 0 || iy >= input.height || ix < 0 || ix >= input.width) continue;
      tap(ky, kx, std::int64_t{iy} * input.width + ix);
    }
  }
}

// Calls code(y, x, c) for every code of the output and stores what it returns.
template <class Code>
void for_each_code(const Image& image, const Code& code) {
  std::int64_t i = 0;
  for (std::int32_t y = 0; y < image.output.height; ++y) {
    for (std::int32_t x = 0; x < image.output.width; ++x) {
      for (std::int32_t c = 0; c < image.output.channels; ++c) image.out[i++] = code(y, x, c);
    }
  }
}

// The weight of a channel with zero point removed and sign applied: what a tap is multiplied by.
std::int32_t effective_weight(const Weights& weights, const Channels& channels, std::int64_t index,
                              std::int32_t c) {
  const std::int32_t d = weights.codes[index] - zero_point(weights, c);
  return !channels.negate.empty() && channels.negate[c] != 0 ? -d : d;
}

void run(const Image& image, const Conv2d& op) {
  const std::int32_t depth = image.input.channels / op.groups;
  const std::int32_t per_group = image.output.channels / op.groups;
  for_each_code(image, [&](std::int32_t y, std::int32_t x, std::int32_t c) {
    std::int32_t sum = start_of_sum(op.channels, c);
    for_each_tap(op.window, image.input, y, x,
                 [&](std::int32_t ky, std::int32_t kx, std::int64_t pixel) {
                   const std::int64_t tap =
                       (std::int64_t{c} * op.window.kernel_h + ky) * op.window.kernel_w + kx;
                   const std::int8_t* source =
                       image.a + pixel * image.input.channels + (c / per_group) * depth;
                   for (std::int32_t i = 0; i < depth; ++i) {
                     sum += effective_weight(op.weights, op.channels, tap * depth + i, c) *
                            (source[i] - image.input.zero_point);
                   }
                 });
    return image.finish(accumulator(op.channels, c, sum), op.channels.multipliers[c]);
  });
}

void run(const Image& image, const DepthwiseConv2d& op) {
  const std::int32_t multiplier = image.output.channels / image.input.channels;
  for_each_code(image, [&](std::int32_t y, std::int32_t x, std::int32_t c) {
    std::int32_t sum = start_of_sum(op.channels, c);
    for_each_tap(
        op.window, image.input, y, x, [&](std::int32_t ky, std::int32_t kx, std::int64_t pixel) {
          const std::int64_t tap = std::int64_t{ky} * op.window.kernel_w + kx;
          sum += effective_weight(op.weights, op.channels, tap * image.output.channels + c, c) *
                 (image.a[pixel * image.input.channels + c / multiplier] - image.input.zero_point);
        });
    return image.finish(accumulator(op.channels, c, sum), op.channels.multipliers[c]);
  });
}

void run(const Image& image, const Dense& op) {
  const std::int64_t inputs = image.input.size();
  for_each_code(image, [&](std::int32_t, std::int32_t, std::int32_t c) {
    std::int32_t sum = start_of_sum(op.channels, c);
    for (std::int64_t i = 0; i < inputs; ++i) {
      sum += effective_weight(op.weights, op.channels, c * inputs + i, c) *
             (image.a[i] - image.input.zero_point);
    }
    return image.finish(accumulator(op.channels, c, sum), op.channels.multipliers[c]);
  });
}

void run(const Image& image, const MaxPool2d& op) {
  for_each_code(image, [&](std::int32_t y, std::int32_t x, std::int32_t c) {
    std::int32_t largest = -128;
    for_each_tap(op.window, image.input, y, x, [&](std::int32_t, std::int32_t, std::int64_t pixel) {
      largest = std::max<std::int32_t>(largest, image.a[pixel * image.input.channels + c]);
    });
    return image.clamp(largest);
  });
}

void run(const Image& image, const AveragePool2d& op) {
  for_each_code(image, [&](std::int32_t y, std::int32_t x, std::int32_t c) {
    std::int32_t sum = 0, count = 0;
    for_each_tap(op.window, image.input, y, x, [&](std::int32_t, std::int32_t, std::int64_t pixel) {
      sum += image.a[pixel * image.input.channels + c];
      ++count;
    });
    return image.clamp(average_codes(sum, count));
  });
}

void run(const Image& image, const GlobalAverage& op) {
  for_each_code(image, [&](std::int32_t, std::int32_t, std::int32_t c) {
    std::int32_t sum = 0;
    for (std::int64_t i = c; i < image.input.size(); i += image.input.channels) {
      sum += image.a[i] - image.input.zero_point;
    }
    return image.finish(sum, op.multiplier);
  });
}

void run(const Image& image, const Add& op) {
  const Rounding rounding = image.program.rounding;
  const std::int32_t zero_b = image.program.tensors[op.b].zero_point;
  for (std::int64_t i = 0; i < image.output.size(); ++i) {
    const std::int32_t a = (image.a[i] - image.input.zero_point) * (1 << kAddLeftShift);
    const std::int32_t b = (image.b[i] - zero_b) * (1 << kAddLeftShift);
    image.out[i] = image.finish(
        scale_accumulator(a, op.scale_a, rounding) + scale_accumulator(b, op.scale_b, rounding),
        op.scale_output);
  }
}

void run(const Image& image, const Clamp&) {
  for (std::int64_t i = 0; i < image.output.size(); ++i) image.out[i] = image.clamp(image.a[i]);
}

void run(const Image& image, const Reshape&) {
  if (image.out != image.a) std::copy_n(image.a, image.output.size(), image.out);
}

}  // namespace

void run_reference(const Program& program, const Operation& operation, const std::int8_t* a,
                   const std::int8_t* b, std::int8_t* out) {
  const Tensor& input = program.tensors[inputs_of(operation)[0]];
  const Image image{program, input, program.tensors[output_of(operation)], a, b, out};
  std::visit([&](const auto& op) { run(image, op); }, operation);
}

}  // namespace pare::integer
