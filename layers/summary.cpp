#include "layers/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "framework/base/text.h"

namespace pare {
namespace {

constexpr std::size_t kColumns = 6;
using Row = std::array<std::string, kColumns>;

// 1234567 -> "1,234,567"; nothing for 0.
std::string count(std::int64_t n) { return n == 0 ? "" : grouped(n); }

// [28, 28, 1] -> "28 x 28 x 1".
std::string extents(const Shape& shape) {
  std::vector<std::int64_t> numbers;
  for (int i = 0; i < shape.rank(); ++i) numbers.push_back(shape[i]);
  return fmt::format("{}", fmt::join(numbers, " x "));
}

// Of one image's values in float32.
std::string bytes(const Shape& shape) {
  return count(static_cast<std::int64_t>(sizeof(float)) * shape.size());
}

std::int64_t parameters(const NetworkNode& node) {
  std::int64_t sum = 0;
  node.module->visit_parameters([&](Parameter& parameter) { sum += parameter.shape().size(); });
  return sum;
}

}  // namespace

std::string summary(const Network& network) {
  std::vector<Row> rows = {{"node", "kind", "output", "parameters", "MACs", "bytes"},
                           {std::string(kInputNode), "", extents(network.input_shape()), "", "",
                            bytes(network.input_shape())}};
  for (const NetworkNode& node : network.nodes()) {
    rows.push_back({node.name, std::string(node.module->kind()),
                    extents(node.shape.without_batch()), count(parameters(node)),
                    count(node.module->macs()), bytes(node.shape)});
  }
  rows.push_back({"total", "", "", count(network.parameter_count()), count(network.macs()), ""});

  std::array<std::size_t, kColumns> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    text += fmt::format("{:<{}}  {:<{}}  {:<{}}  {:>{}}  {:>{}}  {:>{}}\n", row[0], widths[0],
                        row[1], widths[1], row[2], widths[2], row[3], widths[3], row[4], widths[4],
                        row[5], widths[5]);
  }
  return text;
}

}  // namespace pare
