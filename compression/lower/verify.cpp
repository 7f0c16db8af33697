#include "compression/lower/verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/error.h"

namespace pare {
namespace {

constexpr std::int64_t kMostImages = 250;     // at once
constexpr std::int64_t kMostCodes = 1 << 21;  // of their tensors, which are there twice

// As many images as fit.
std::int64_t batch_of(const integer::Program& program) {
  std::int64_t codes = 0;
  for (const integer::Tensor& tensor : program.tensors) codes += tensor.size();
  return std::clamp<std::int64_t>(kMostCodes / codes, 1, kMostImages);
}

void compare(const integer::Tensor& tensor, const std::vector<std::int8_t>& expected,
             const std::vector<std::int8_t>& got, std::int64_t first_image, Verification& result) {
  PARE_ENSURE(expected.size() == got.size());
  result.codes += static_cast<std::int64_t>(got.size());
  if (expected == got) return;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (expected[i] == got[i]) continue;
    ++result.differing;
    if (result.first.empty()) {
      const auto size = static_cast<std::size_t>(tensor.size());
      result.first = fmt::format(
          "tensor '{}', image {}, element {}: the training graph gives code {}, the engine {}",
          tensor.name, first_image + static_cast<std::int64_t>(i / size), i % size, expected[i],
          got[i]);
    }
  }
}

}  // namespace

Verification verify(const Network& network, const FinalNetwork& final,
                    const integer::Engine& engine, std::span<const std::int8_t> input,
                    const std::function<void(std::int64_t)>& progress) {
  const integer::Program& program = engine.program();
  const std::int64_t size = engine.input_size();
  Verification result;
  result.images = static_cast<std::int64_t>(input.size()) / size;
  result.tensors = static_cast<std::int64_t>(program.tensors.size());
  const std::int64_t most = batch_of(program);
  for (std::int64_t begin = 0; begin < result.images; begin += most) {
    const std::int64_t count = std::min(most, result.images - begin);
    const auto batch = input.subspan(static_cast<std::size_t>(begin * size),
                                     static_cast<std::size_t>(count * size));
    const EdgeCodes expected = evaluate_exactly(network, final, batch);
    const std::vector<std::vector<std::int8_t>> got = engine.run_all(batch);
    for (std::size_t t = 0; t < program.tensors.size(); ++t) {
      compare(program.tensors[t], expected.at(program.tensors[t].name), got[t], begin, result);
    }
    const std::vector<std::int8_t>& scores = got[static_cast<std::size_t>(program.output)];
    const auto classes = static_cast<std::size_t>(engine.output_size());
    for (std::int64_t i = 0; i < count; ++i) {
      result.labels.push_back(integer::Engine::label(
          std::span(scores).subspan(static_cast<std::size_t>(i) * classes, classes)));
    }
    if (progress) progress(begin + count);
  }
  return result;
}

}  // namespace pare
