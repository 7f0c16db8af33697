#include "apps/lib/example/print.h"

#include <fmt/format.h>

#include "apps/lib/example/formulas.h"
#include "apps/lib/example/network.h"

namespace pare::example {
namespace {

constexpr double kTenth = 0.1;
constexpr double kPrinted = 0.1;  // the document's threshold
// Between W1's two smaller and its two larger weights, so that half of them go.
constexpr double kHalf = 0.25;

std::string list(std::span<const double> tenths) {
  std::string text;
  for (const double value : tenths) text += fmt::format(" {:7.3f}", value * kTenth);
  return text;
}

std::string list(std::span<const std::int32_t> codes) {
  std::string text;
  for (const std::int32_t code : codes) text += fmt::format(" {:7}", code);
  return text;
}

constexpr const char* kNoCodes = "  all values are equal: the formula divides by zero";

std::string codes_of(const std::optional<MinMaxCodes>& codes) {
  return codes ? list(codes->codes) : kNoCodes;
}

std::string codes_and_reals(const std::optional<MinMaxCodes>& codes) {
  return codes ? list(codes->codes) + "   for" + list(codes->reals()) : kNoCodes;
}

std::string printed_formulas() {
  std::string text =
      "1. The document's formula, q = round((x - min) / (max - min) * 255 - 128)\n\n";
  for (const Tensor& tensor : tensors()) {
    text += fmt::format("  {}  values         {}\n", tensor.name, list(tensor.tenths));
    text += fmt::format("      codes          {}\n", codes_of(min_max_codes(tensor.tenths)));
    text += fmt::format("      the page prints{}\n\n", list(tensor.printed));
  }
  return text;
}

std::string printed_orders(double threshold) {
  std::string text;
  for (const Tensor& tensor : tensors()) {
    const std::vector<double>& x = tensor.tenths;
    text += fmt::format("  {}  prune, quantize{}\n", tensor.name,
                        codes_and_reals(prune_then_quantize(x, threshold)));
    text += fmt::format("      both at once   {}\n", codes_and_reals(both_at_once(x, threshold)));
    text += fmt::format("      quantize, prune{}\n\n",
                        codes_and_reals(quantize_then_prune(x, threshold)));
  }
  return text;
}

std::string all_printed_orders() {
  return fmt::format(
             "2. Its three orders with its threshold, {}: codes, and what they stand for\n\n",
             kPrinted) +
         printed_orders(kPrinted) +
         fmt::format("3. The same with threshold {}, which half of W1 lies below\n\n", kHalf) +
         printed_orders(kHalf);
}

std::string pare_orders() {
  std::string text = "4. Pare: symmetric grid, code 0 is zero, half of W1 pruned by magnitude\n\n";
  text += fmt::format("  mask, then quantize{}\n",
                      list(first_layer_codes(Composition::mask_then_quantize)));
  text += fmt::format("  quantize, then mask{}\n\n",
                      list(first_layer_codes(Composition::quantize_then_mask)));
  return text;
}

std::string answers() {
  std::string text = "5. The network in float and as an integer program\n\n";
  for (const std::array<float, 2>& x :
       {std::array<float, 2>{1, 1}, std::array<float, 2>{0.25f, 0.75f}}) {
    const Answer a = answer(x);
    text += fmt::format(
        "  x = ({:.2f}, {:.2f})  float {:.4f}   integer ({} - {}) * {:.6f} = {:.4f}   {} codes "
        "differ\n",
        x[0], x[1], a.real, a.code, a.zero_point, a.scale, a.integer(), a.differing);
  }
  return text;
}

}  // namespace

std::string report() {
  return printed_formulas() + all_printed_orders() + pare_orders() + answers();
}

}  // namespace pare::example
