#include "compression/quantize/quantizer.h"

#include <array>

#include "compression/quantize/binary.h"
#include "compression/quantize/codebook.h"
#include "compression/quantize/dorefa.h"
#include "compression/quantize/dynamic_range.h"
#include "compression/quantize/lsq.h"
#include "compression/quantize/pact.h"
#include "compression/quantize/powers.h"
#include "compression/quantize/ternary.h"
#include "compression/quantize/uniform.h"
#include "framework/base/error.h"

namespace pare {

std::span<const QuantizerRow> quantizer_table() {
  static const std::array<QuantizerRow, 11> rows{{
      {.name = "uniform",
       .description = "equal steps between the ends of an observed range",
       .weights = true,
       .activations = true,
       .least_bits = 1,
       .most_bits = 8,
       .usual_bits = 8,
       .observes = true,
       .wide = true,
       .make = make_uniform},
      {.name = "lsq",
       .description = "learned step size",
       .weights = true,
       .activations = true,
       .least_bits = 2,
       .most_bits = 8,
       .usual_bits = 8,
       .learns = true,
       .zero_at_ends = true,
       .make = make_lsq},
      {.name = "pact",
       .description = "learned clipping of activations",
       .weights = false,
       .activations = true,
       .least_bits = 2,
       .most_bits = 8,
       .usual_bits = 8,
       .learns = true,
       .zero_at_ends = true,
       .make = make_pact},
      {.name = "dorefa",
       .description = "weights through tanh onto levels without a zero, activations clipped to 1",
       .weights = true,
       .activations = true,
       .least_bits = 2,
       .most_bits = 7,
       .usual_bits = 4,
       .one_grid = true,
       .zero_at_ends = true,
       .make = make_dorefa},
      {.name = "binary",
       .description = "the sign times the mean magnitude, or times 1",
       .weights = true,
       .activations = true,
       .least_bits = 1,
       .most_bits = 1,
       .usual_bits = 1,
       .make = make_binary},
      {.name = "ternary",
       .description = "a sign or zero, by a threshold on the mean magnitude",
       .weights = true,
       .activations = false,
       .least_bits = 2,
       .most_bits = 2,
       .usual_bits = 2,
       .make = make_ternary},
      {.name = "ttq",
       .description = "trained ternary: a learned scale for each sign",
       .weights = true,
       .activations = false,
       .least_bits = 2,
       .most_bits = 2,
       .usual_bits = 2,
       .learns = true,
       .one_grid = true,
       .make = make_ttq},
      {.name = "log2",
       .description = "powers of two (or of its root), rounded in the exponent",
       .weights = true,
       .activations = false,
       .least_bits = 2,
       .most_bits = 4,
       .usual_bits = 4,
       .make = make_log2},
      {.name = "apot",
       .description = "sums of powers of two, clipped at a learned bound",
       .weights = true,
       .activations = false,
       .least_bits = 2,
       .most_bits = 6,
       .usual_bits = 4,
       .learns = true,
       .make = make_apot},
      {.name = "codebook",
       .description = "a table of trained values, found by k-means",
       .weights = true,
       .activations = false,
       .least_bits = 1,
       .most_bits = 8,
       .usual_bits = 4,
       .learns = true,
       .by_levels = true,
       .make = make_codebook},
      {.name = "dynamic",
       .description = "equal steps between the ends of the image at hand, at run time",
       .weights = false,
       .activations = true,
       .least_bits = 2,
       .most_bits = 8,
       .usual_bits = 8,
       .at_run_time = true,
       .make = make_dynamic_range},
  }};
  return rows;
}

const QuantizerRow& quantizer_row(const std::string& name) {
  for (const QuantizerRow& row : quantizer_table()) {
    if (row.name == name) return row;
  }
  PARE_ENSURE(!"quantizer name was validated");
  return quantizer_table()[0];
}

bool has_bits(const QuantizerRow& row, int bits) {
  return (bits >= row.least_bits && bits <= row.most_bits) || (row.wide && bits == 16);
}

std::unique_ptr<Quantizer> make_quantizer(const QuantizerConfig& config, QuantizerPlace::Use use,
                                          std::string where, const Shape& shape, int channel_axis) {
  const int axis = config.granularity == Granularity::per_channel ? channel_axis : -1;
  return quantizer_row(config.quantizer)
      .make(config, {use, std::move(where), axis, axis < 0 ? 1 : shape[axis]});
}

}  // namespace pare
