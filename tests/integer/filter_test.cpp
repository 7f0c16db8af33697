// 3 x 3 layers by minimal filtering (kernels/winograd_layer.h) against the reference loops, where
// an instruction set has it.
#include <doctest/doctest.h>

#include <algorithm>

#include "compression/integer/engine.h"
#include "tests/integer/compare.h"
#include "tests/integer/random_builder.h"
#include "tests/integer/random_layer.h"

namespace pare::integer {
namespace {

bool filters() {
  const std::vector<const KernelSet*> sets = usable_kernel_sets();
  return std::any_of(sets.begin(), sets.end(),
                     [](const KernelSet* set) { return set->winograd.multiply != nullptr; });
}

TEST_CASE("3 x 3 layers give the reference's codes by minimal filtering") {
  int filtered = 0;
  for (std::uint64_t seed = 1; seed <= layers() / 2; ++seed) {
    filtered += compare_with_reference(random_filter_layer(seed), seed, "by minimal filtering");
  }
  if (filters()) CHECK(filtered * 4 >= static_cast<int>(layers() / 2));
}

// Layers of several widths share a thread's memory, and images follow one another in it.
TEST_CASE("layers by minimal filtering follow one another") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Builder b(seed);
    std::int32_t input = b.add_tensor(11, 9, 16);
    for (const std::int32_t outputs : {48, 16, 31}) {
      const Tensor in = b.tensor(input);
      Conv2d op;
      op.input = input;
      op.window = {3, 3, 1, 1, 1, 1, 1, 1};
      const std::int32_t output = b.add_tensor(in.height, in.width, outputs);
      op.output = output;
      b.finish_layer(std::move(op));
      input = output;
      if (outputs != 16) continue;
      input = b.add_shared(output, in.height / 2, in.width / 2, outputs);
      b.program().operations.emplace_back(MaxPool2d{output, input, {2, 2, 2, 2}});
    }
    b.program().output = input;
    const int filtered = compare_with_reference(b.program(), seed, "by minimal filtering");
    if (filters() && seed == 1) CHECK(filtered > 0);
  }
}

// Minimal filtering computes 4 times a sum, which has to fit int32 as well.
TEST_CASE("sums over 2^29 are not made by minimal filtering") {
  constexpr std::int32_t kOutputs = 16;
  for (const std::int32_t channels : {1840, 1856}) {
    CAPTURE(channels);
    Program program;
    program.name = "large_sums";
    program.tensors = {{"x", 6, 6, channels, -128, -128, 127}, {"y", 4, 4, kOutputs, 0, -128, 127}};
    for (Tensor& tensor : program.tensors) tensor.scale_bits = 0x3F800000;
    const std::int64_t taps = 9 * channels;
    Conv2d op{0, 1, {3, 3}, 1, {8, false, {}, {}, {0x3F800000}}, {}};
    for (std::int32_t c = 0; c < kOutputs; ++c)
      op.weights.codes.insert(op.weights.codes.end(), taps, c % 2 == 0 ? 127 : -127);
    op.channels.bias.assign(kOutputs, 0);
    op.channels.multipliers.assign(kOutputs, {1 << 30, -22});
    program.operations = {op};
    program.output = 1;
    const std::vector<std::int8_t> codes(program.tensors[0].size(), 127);
    std::vector<std::int8_t> expected(program.tensors[1].size()), got(expected);
    Engine(program, {.reference = true}).run(codes, expected);
    const std::int64_t sum = channels * 9 * 255 * 127LL;
    CHECK(expected[0] == (sum + (1 << 22)) >> 23);
    CHECK(expected[1] == -expected[0]);
    for (const KernelSet* set : usable_kernel_sets()) {
      const Engine engine(program, {.kernels = set->name});
      engine.run(codes, got);
      INFO(engine.steps()[0]);
      CHECK(got == expected);
      const bool filtered = set->winograd.multiply != nullptr && channels == 1840;
      CHECK(engine.steps()[0].ends_with("by minimal filtering") == filtered);
    }
  }
}

}  // namespace
}  // namespace pare::integer
