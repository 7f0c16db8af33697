#include "compression/integer/kernels/pixel_map.h"

#include <algorithm>
#include <utility>

#include "compression/integer/operations.h"

namespace pare::integer {
namespace {

constexpr std::int64_t kMaxImageBytes = std::int64_t{1} << 26;  // of a layer
constexpr std::int64_t kMostStacked = std::int64_t{1} << 18;    // of one whose rows are stacked
// Of all layers.
constexpr std::int64_t kMaxPixels = std::int64_t{1} << 22;
constexpr std::int64_t kMaxWaste = std::int64_t{1} << 26;  // bytes beyond
constexpr std::int64_t kBytesPerWeight = 4;

// Sides are at most 2^16 and paddings less than a kernel's, so a padded row has at most 3 * 2^32
// bytes and nothing here overflows.
bool fits_image(const Window& window, const Tensor& input) {
  return padded_row_bytes(window, input) <= kMaxImageBytes &&
         padded_image_bytes(window, input) <= kMaxImageBytes;
}

// Bytes of weights in panels; `depth` of a channel's are neighbours.
std::int64_t packed_bytes(const WeightLayout& layout, std::int64_t depth, std::int64_t groups) {
  const std::int64_t panels = (layout.outputs / groups + kPanel - 1) / kPanel * groups;
  const std::int64_t padded_depth = (depth + kEntryTaps - 1) / kEntryTaps * kEntryTaps;
  return panels * kPanel * (layout.taps / depth * padded_depth);
}

// What the packed forms of a layer take.
struct Cost {
  bool fits = false;  // its image
  std::int64_t pixels = 0, waste = 0;
};

Cost cost_of(const Window& window, const Tensor& image, const Tensor& output,
             const WeightLayout& layout, std::int64_t bytes) {
  return {fits_image(window, image), std::int64_t{output.height} * output.width,
          std::max<std::int64_t>(0, bytes - kBytesPerWeight * layout.count())};
}

Cost cost_of(const Conv2d& op, const Tensor& input, const Tensor& output) {
  const WeightLayout layout = weight_layout(op, input, output);
  return cost_of(op.window, input, output, layout,
                 packed_bytes(layout, input.channels / op.groups, op.groups));
}

Cost cost_of(const DepthwiseConv2d& op, const Tensor& input, const Tensor& output) {
  const WeightLayout layout = weight_layout(op, input, output);
  Tensor image = input;
  image.channels = output.channels;
  const std::int64_t lanes = (layout.outputs + kPanel - 1) / kPanel * kPanel;
  const auto word = static_cast<std::int64_t>(sizeof(std::int32_t));
  return cost_of(op.window, image, output, layout, (lanes + 1) * layout.taps * word);
}

Cost cost_of(const Dense& op, const Tensor& input, const Tensor& output) {
  const WeightLayout layout = weight_layout(op, input, output);
  return cost_of({}, input, output, layout, packed_bytes(layout, input.size(), 1));
}

template <class Other>
Cost cost_of(const Other&, const Tensor&, const Tensor&) {
  return {.fits = true};
}

// The first tap of output pixel (y, x).
class FirstTap {
 public:
  FirstTap(const Window& window, const Tensor& input)
      : down_(window.stride_h * padded_row_bytes(window, input)),
        right_(pixel_step(window, input)) {}
  std::int32_t operator()(std::int64_t y, std::int64_t x) const {
    return static_cast<std::int32_t>(y * down_ + x * right_);
  }

 private:
  std::int64_t down_, right_;
};

}  // namespace

std::vector<bool> packed_operations(const Program& program) {
  std::vector<bool> packed;
  std::int64_t pixels = kMaxPixels, waste = kMaxWaste;  // what is left
  for (const Operation& operation : program.operations) {
    const Tensor& input = program.tensors[inputs_of(operation)[0]];
    const Tensor& output = program.tensors[output_of(operation)];
    const Cost cost =
        std::visit([&](const auto& op) { return cost_of(op, input, output); }, operation);
    packed.push_back(cost.fits && cost.pixels <= pixels && cost.waste <= waste);
    if (!packed.back()) continue;
    pixels -= cost.pixels;
    waste -= cost.waste;
  }
  return packed;
}

bool fits_bits(const Conv2d& op, const Tensor& input) {
  const Window& w = op.window;
  return op.groups == 1 && input.channels % 8 == 0 && w.pad_top == 0 && w.pad_left == 0 &&
         w.pad_bottom == 0 && w.pad_right == 0;
}

std::int64_t padded_row_bytes(const Window& w, const Tensor& input) {
  return (std::int64_t{w.pad_left} + input.width + w.pad_right) * input.channels;
}

std::int64_t pixel_step(const Window& w, const Tensor& input) {
  return std::int64_t{w.stride_w} * input.channels;
}

std::int64_t padded_image_bytes(const Window& w, const Tensor& input) {
  return (std::int64_t{w.pad_top} + input.height + w.pad_bottom) * padded_row_bytes(w, input);
}

// A byte takes about a quarter of a cycle, a product half of one; three of four entries are saved.
// Twice what it costs should be won.
bool stacking_pays(const Conv2d& op, const Tensor& input, const Tensor& output) {
  const Window& w = op.window;
  const std::int64_t row = w.kernel_w * std::int64_t{input.channels};
  if (op.groups > 1 || row % kEntryTaps != 1) return false;
  const std::int64_t saved = w.kernel_h / kEntryTaps * 3;
  const std::int64_t panels = (std::int64_t{output.channels} + kPanel - 1) / kPanel;
  const std::int64_t pixels = std::int64_t{output.height} * output.width;
  const std::int64_t image = padded_image_bytes(w, input);
  return image <= kMostStacked && saved * pixels * panels > image;
}

std::vector<TapRun> tap_runs(const Conv2d& op, const Tensor& input, const Tensor& output,
                             std::int32_t group) {
  const std::int64_t row = padded_row_bytes(op.window, input);
  const std::int64_t depth = input.channels / op.groups;
  const std::int64_t step = pixel_step(op.window, input);
  std::vector<TapRun> runs;
  std::int64_t first = 0;
  for (std::int32_t ky = 0; ky < op.window.kernel_h; ++ky) {
    if (op.groups == 1) {
      runs.push_back({ky * row, first, op.window.kernel_w * depth, step, output.width});
      first += runs.back().length;
      continue;
    }
    for (std::int32_t kx = 0; kx < op.window.kernel_w; ++kx, first += depth) {
      runs.push_back({ky * row + std::int64_t{kx} * input.channels + group * depth, first, depth,
                      step, output.width});
    }
  }
  return runs;
}

std::vector<TapRun> stack_rows(const std::vector<TapRun>& runs, std::int64_t stack) {
  std::vector<TapRun> result, below;
  std::size_t r = 0;
  for (; r + kEntryTaps <= runs.size() && runs[r].length % kEntryTaps == 1; r += kEntryTaps) {
    for (std::size_t k = r; k < r + kEntryTaps; ++k) {
      result.push_back(runs[k]);
      --result.back().length;
    }
    TapRun last = runs[r];
    last.offset = stack + kEntryTaps * (last.offset + last.length - 1);
    last.first += last.length - 1;
    last.stride = last.length;
    last.length = kEntryTaps;
    last.stacked = true;
    below.push_back(last);
  }
  result.insert(result.end(), runs.begin() + static_cast<std::ptrdiff_t>(r), runs.end());
  result.insert(result.end(), below.begin(), below.end());
  std::erase_if(result, [](const TapRun& run) { return run.length == 0; });
  return result;
}

std::vector<std::int32_t> pixel_rows(const Window& window, const Tensor& input,
                                     const Tensor& output) {
  const FirstTap first_tap(window, input);
  std::vector<std::int32_t> rows;
  for (std::int64_t y = 0; y < output.height; ++y) {
    for (std::int64_t x = 0; x < output.width; ++x) rows.push_back(first_tap(y, x));
  }
  return rows;
}

std::vector<std::int32_t> pooled_rows(const Window& window, const Tensor& input,
                                      const Tensor& output) {
  const FirstTap first_tap(window, input);
  std::vector<std::int32_t> rows;
  for (std::int64_t y = 0; y + 1 < output.height; y += 2) {
    for (std::int64_t x = 0; x + 1 < output.width; x += 2) {
      for (const auto& [dy, dx] : {std::pair{0, 0}, {0, 1}, {1, 0}, {1, 1}}) {
        rows.push_back(first_tap(y + dy, x + dx));
      }
    }
  }
  return rows;
}

}  // namespace pare::integer
