// Where the taps of a layer lie in the padded image that its kernel reads: what turns a convolution
// of any stride, padding and number of groups, and a dense layer, into one kind of product.
//
// Positions are bytes in an image of (top + height + bottom) x (left + width + right) pixels,
// channels last, without gaps.
#pragma once

#include <cstdint>
#include <vector>

#include "compression/integer/kernels/packed_layer.h"
#include "compression/integer/program.h"

namespace pare::integer {

// A kernel may read up to 15 bytes beyond the last tap; their weights are 0.
inline constexpr std::int64_t kImageSlack = 64;

// For each operation, false where it is a layer whose window reaches so far out of the image, whose
// groups are so small, or which has so many output pixels, that the prepared forms would need
// absurdly much memory. Such a layer runs on the reference loops. Pixels and waste are limited for
// all layers together: the first ones have what there is.
std::vector<bool> packed_operations(const Program& program);

std::int64_t padded_row_bytes(const Window& window, const Tensor& input);
std::int64_t pixel_step(const Window& window, const Tensor& input);  // to the right neighbour
std::int64_t padded_image_bytes(const Window& window, const Tensor& input);

// Whether pixels start at whole bytes of eight bits, and no tap lies outside the image, where it
// would have to count for neither of the two codes.
bool fits_bits(const Conv2d& op, const Tensor& input);

// Whether it takes less time to stack the rows of the image (packed_layer.h) than it saves.
bool stacking_pays(const Conv2d& op, const Tensor& input, const Tensor& output);

// The runs of taps of one group; their weights follow in the order of a channel's own.
std::vector<TapRun> tap_runs(const Conv2d& op, const Tensor& input, const Tensor& output,
                             std::int32_t group);

// The same taps, where four rows after one another have a tap more than whole entries; as many as
// `runs` where there are none. `stack`: where the stacked image begins.
std::vector<TapRun> stack_rows(const std::vector<TapRun>& runs, std::int64_t stack);

// The first tap of each output pixel, row by row.
std::vector<std::int32_t> pixel_rows(const Window& window, const Tensor& input,
                                     const Tensor& output);

// The same for the four pixels of each window of 2 x 2 output pixels, one window after another. An
// odd row or column at the end belongs to no window.
std::vector<std::int32_t> pooled_rows(const Window& window, const Tensor& input,
                                      const Tensor& output);

}  // namespace pare::integer
