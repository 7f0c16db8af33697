#include "apps/lib/example/print.h"

#include <fmt/format.h>

#include "apps/lib/example/formulas.h"
#include "apps/lib/example/network.h"

namespace pare::example {
namespace {

constexpr double kTenth = 0.1;
// Between W1's two smaller and its two larger weights, so that half of them go.
constexpr double kThreshold = 2.5;  // tenths

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

std::string codes_of(const Tensor& tensor) {
  const auto codes = min_max_codes(tensor.tenths);
  if (!codes) return "  all values are equal: the formula divides by zero";
  return list(codes->codes);
}

std::string printed_formulas() {
  std::string text =
      "1. The document's formula, q = round((x - min) / (max - min) * 255 - 128)\n\n";
  for (const Tensor& tensor : tensors()) {
    text += fmt::format("  {}  values         {}\n", tensor.name, list(tensor.tenths));
    text += fmt::format("      codes          {}\n", codes_of(tensor));
    text += fmt::format("      the page prints{}\n\n", list(tensor.printed));
  }
  return text;
}

std::string printed_orders() {
  const std::vector<double>& w1 = tensors()[0].tenths;
  std::string text = fmt::format(
      "2. The document's three orders on W1, threshold {:.2f}: what the codes stand for\n\n",
      kThreshold * kTenth);
  text += fmt::format("  W1                 {}\n", list(w1));
  text += fmt::format("  prune, quantize    {}\n", list(prune_then_quantize(w1, kThreshold)));
  text += fmt::format("  both at once       {}   code 0 is not zero\n",
                      list(both_at_once(w1, kThreshold)));
  text += fmt::format("  quantize, prune    {}   a threshold on codes means nothing\n\n",
                      list(quantize_then_prune(w1, kThreshold)));
  return text;
}

std::string pare_orders() {
  std::string text = "3. Pare: symmetric grid, code 0 is zero, half of W1 pruned by magnitude\n\n";
  text += fmt::format("  mask, then quantize{}\n",
                      list(first_layer_codes(Composition::mask_then_quantize)));
  text += fmt::format("  quantize, then mask{}\n\n",
                      list(first_layer_codes(Composition::quantize_then_mask)));
  return text;
}

std::string answers() {
  std::string text = "4. The network in float and as an integer program\n\n";
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

std::string report() { return printed_formulas() + printed_orders() + pare_orders() + answers(); }

}  // namespace pare::example
