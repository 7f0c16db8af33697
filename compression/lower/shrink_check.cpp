#include "compression/lower/shrink_check.h"

#include <fmt/format.h>

#include <map>

#include "compression/integer/engine.h"
#include "compression/lower/lower.h"
#include "compression/post_training.h"
#include "framework/base/error.h"
#include "framework/random.h"

namespace pare {
namespace {

using Codes = std::vector<std::int8_t>;

KeptUnits all_units(const KeptUnits& kept) {
  KeptUnits all = kept;
  for (std::vector<std::uint8_t>& units : all) std::fill(units.begin(), units.end(), 1);
  return all;
}

// A copy with all grids.
Network calibrated(Network& network, const KeptUnits& kept, const Tensor& images) {
  Network copy = without_units(network, all_units(kept));
  const auto calibrate = [&](const Pass& pass) {
    const NoGradient no_gradient;
    copy.forward(Variable(images), pass);
    copy.release();
  };
  if (!has_all_grids(copy)) quantize_after_training(copy, calibrate);
  calibrate(Pass::begin(Pass::Mode::calibrate, 0, 0));
  return copy;
}

integer::Program program_of(const Network& network, integer::Rounding rounding,
                            FinalNetwork& final) {
  final = make_final(network, rounding);
  return lower(network, final, "shrink", {});
}

Codes random_codes(const FinalEdge& input, std::size_t count) {
  Random random(1, Stream::calibrate, 1);
  Codes codes(count);
  const auto span = static_cast<std::uint32_t>(input.code_max - input.code_min + 1);
  for (std::int8_t& code : codes) {
    code = static_cast<std::int8_t>(input.code_min + static_cast<std::int32_t>(random.below(span)));
  }
  return codes;
}

// The codes of one edge that belong to channels that stay.
Codes kept_codes(const Codes& codes, const std::vector<std::int32_t>& units,
                 const std::vector<std::uint8_t>& kept) {
  Codes result;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (kept[static_cast<std::size_t>(units[i % units.size()])]) result.push_back(codes[i]);
  }
  return result;
}

}  // namespace

std::string shrunk_difference(Network& network, const KeptUnits& kept, const Tensor& images,
                              integer::Rounding rounding) {
  Network masked = calibrated(network, kept, images);
  Network shrunk = without_units(masked, kept);
  FinalNetwork final, smaller;
  const integer::Engine before(program_of(masked, rounding, final));
  const integer::Engine after(program_of(shrunk, rounding, smaller));
  const Channels channels(masked);
  Codes codes = input_codes(final, images.values());
  const Codes more = random_codes(final.edges.at(std::string(kInputNode)), codes.size());
  codes.insert(codes.end(), more.begin(), more.end());
  const std::vector<Codes> a = before.run_all(codes), b = after.run_all(codes);
  PARE_ENSURE(a.size() == b.size());
  for (std::size_t t = 0; t < a.size(); ++t) {
    const std::string& edge = before.program().tensors[t].name;
    const Codes expected = kept_codes(a[t], channels.units_of(edge), kept[channels.space_of(edge)]);
    if (expected == b[t]) continue;
    return fmt::format(
        "the codes of edge '{}' differ; leave the masks on without shrink, or shrink "
        "before the network is quantized",
        edge);
  }
  return "";
}

}  // namespace pare
