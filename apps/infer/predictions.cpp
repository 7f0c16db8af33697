// Integers only, here too: a percentage is a quotient with two digits.
#include "apps/infer/predictions.h"

#include <algorithm>
#include <numeric>

namespace pare::infer {
namespace {

// numerator / denominator with `digits` decimals, rounded half up.
std::string decimal(std::int64_t numerator, std::int64_t denominator, int digits) {
  std::int64_t unit = 1;
  for (int i = 0; i < digits; ++i) unit *= 10;
  const std::int64_t value = (numerator * unit * 2 + denominator) / (denominator * 2);
  std::string fraction = std::to_string(value % unit);
  fraction.insert(0, static_cast<std::size_t>(digits) - fraction.size(), '0');
  return std::to_string(value / unit) + "." + fraction;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) >= ' ') result += c;
  }
  return result + "\"";
}

std::string json_of(const Predictions& p, std::int64_t image, std::int64_t top) {
  const auto codes = p.codes_of(image);
  std::string text =
      "{\"label\": " + std::to_string(p.labels[static_cast<std::size_t>(image)]) + ", \"codes\": [";
  for (std::size_t c = 0; c < codes.size(); ++c) text += (c ? ", " : "") + std::to_string(codes[c]);
  text += "], \"top\": [";
  const std::vector<std::int32_t> best = best_classes(codes, top);
  for (std::size_t i = 0; i < best.size(); ++i) text += (i ? ", " : "") + std::to_string(best[i]);
  return text + "]}";
}

}  // namespace

std::int64_t Predictions::correct() const {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) sum += expected[i] == labels[i];
  return sum;
}

std::span<const std::int8_t> Predictions::codes_of(std::int64_t image) const {
  return std::span(codes).subspan(static_cast<std::size_t>(image * classes),
                                  static_cast<std::size_t>(classes));
}

std::vector<std::int32_t> best_classes(std::span<const std::int8_t> codes, std::int64_t count) {
  std::vector<std::int32_t> classes(codes.size());
  std::iota(classes.begin(), classes.end(), 0);
  std::stable_sort(classes.begin(), classes.end(), [&](std::int32_t a, std::int32_t b) {
    return codes[static_cast<std::size_t>(a)] > codes[static_cast<std::size_t>(b)];
  });
  classes.resize(static_cast<std::size_t>(std::min<std::int64_t>(count, std::ssize(codes))));
  return classes;
}

std::string lines(const Predictions& p, std::int64_t top) {
  std::string text;
  for (std::int64_t image = 0; image < p.count(); ++image) {
    const auto codes = p.codes_of(image);
    text += std::to_string(image);
    for (const std::int32_t c : best_classes(codes, top)) {
      text += " " + std::to_string(c) + ":" + std::to_string(codes[static_cast<std::size_t>(c)]);
    }
    text += '\n';
  }
  return text;
}

std::string accuracy_line(const Predictions& p) {
  return std::to_string(p.correct()) + " of " + std::to_string(p.count()) +
         " correct: " + decimal(100 * p.correct(), p.count(), 2) + " %\n";
}

std::string json(const Predictions& p, const std::string& model, std::int64_t top) {
  std::string text =
      "{\"model\": " + quoted(model) + ",\n \"images\": " + std::to_string(p.count());
  if (!p.expected.empty()) {
    text += ",\n \"correct\": " + std::to_string(p.correct()) +
            ",\n \"accuracy\": " + decimal(p.correct(), p.count(), 6);
  }
  text += ",\n \"predictions\": [";
  for (std::int64_t image = 0; image < p.count(); ++image)
    text += (image ? ",\n  " : "\n  ") + json_of(p, image, top);
  return text + "\n ]}\n";
}

}  // namespace pare::infer
