#include "compression/quantize/quantizer.h"

#include <array>

#include "compression/quantize/uniform.h"
#include "framework/base/error.h"

namespace pare {

void QuantizerConfig::describe(config::Object& o) {
  std::vector<std::string> names;
  for (const QuantizerRow& row : quantizer_table()) names.push_back(row.name);
  o.choice("quantizer", quantizer, names, "how real values become codes");
  o.integer("bits", bits, {.min = 2, .max = 8}, "bits of a code");
  o.choice("scheme", scheme, {{"symmetric", Scheme::symmetric}, {"affine", Scheme::affine}},
           "symmetric: zero point 0; affine: the range's own zero point");
  o.choice("granularity", granularity,
           {{"per_channel", Granularity::per_channel}, {"per_tensor", Granularity::per_tensor}},
           "one scale per output channel, or one");
  o.choice("observer", observer, observer_kinds(), "where the range comes from");
  o.real("decay", decay, {.min = 0, .below = 1}, "of the observer ema_min_max");
  o.choice("scale", scale, {{"float", ScaleKind::real}, {"power_of_two", ScaleKind::power_of_two}},
           "any scale, or rounded up to a power of two");
}

void WeightQuantizerConfig::describe(config::Object& o) {
  QuantizerConfig::describe(o);
  o.choice("observe", observe,
           {{"masked", Observed::masked},
            {"dense", Observed::dense},
            {"survivors", Observed::survivors}},
           "whose range is taken: what reaches the quantizer, the unpruned weight, or the weights "
           "that are kept");
}

std::span<const QuantizerRow> quantizer_table() {
  static const std::array<QuantizerRow, 1> rows{{
      {"uniform", "equal steps between the ends of an observed range", make_uniform},
  }};
  return rows;
}

std::unique_ptr<Quantizer> make_quantizer(const QuantizerConfig& config, std::string where,
                                          int channel_axis) {
  const int axis = config.granularity == Granularity::per_channel ? channel_axis : -1;
  for (const QuantizerRow& row : quantizer_table()) {
    if (row.name == config.quantizer) return row.make(config, std::move(where), axis);
  }
  PARE_ENSURE(!"quantizer name was validated");
  return nullptr;
}

}  // namespace pare
