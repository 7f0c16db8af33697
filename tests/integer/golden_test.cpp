// Numbers that other people published, through the engine.
#include <doctest/doctest.h>

#include <array>
#include <bit>

#include "compression/integer/engine.h"
#include "tests/integer/random_program.h"

namespace pare::integer {
namespace {

std::uint32_t bits_of(float scale) { return std::bit_cast<std::uint32_t>(scale); }

// One operation between two tensors.
Program program_of(Tensor input, Tensor output, Operation operation) {
  Program program;
  program.name = "golden";
  program.tensors = {std::move(input), std::move(output)};
  program.output = 1;
  program.operations.push_back(std::move(operation));
  return program;
}

std::vector<std::int8_t> run(const Program& program, const std::vector<std::int8_t>& codes) {
  const Engine fast(program), reference(program, {.reference = true});
  const auto images = static_cast<std::int64_t>(codes.size()) / fast.input_size();
  std::vector<std::int8_t> outputs(images * fast.output_size()), others(outputs.size());
  fast.run(codes, outputs);
  reference.run(codes, others);
  CHECK(outputs == others);
  return outputs;
}

// uint8 codes as the int8 codes of the same real values.
template <std::size_t kCount>
std::vector<std::int8_t> lowered(const std::array<int, kCount>& codes) {
  std::vector<std::int8_t> result;
  for (const int code : codes) result.push_back(static_cast<std::int8_t>(code - 128));
  return result;
}

TEST_CASE("QLinearMatMul of the ONNX node tests, uint8 moved to int8") {
  Dense dense{.input = 0, .output = 1, .weights = {}, .channels = {}};
  // b[4][3] as weights [out][in].
  dense.weights.codes = lowered(std::array{152, 60, 0, 127, 51, 26, 127, 254, 244, 255, 246, 247});
  dense.weights.affine = true;
  dense.weights.zero_points = {114 - 128};
  dense.weights.scale_bits = {bits_of(0.00705f)};
  const float product = 0.0066f * 0.00705f;
  dense.channels.bias = {0, 0, 0};
  dense.channels.multipliers.assign(
      3, multiplier_of(static_cast<double>(product) / static_cast<double>(0.0107f)));
  const Program program = program_of({"a", 1, 1, 4, 113 - 128, -128, 127, bits_of(0.0066f)},
                                     {"y", 1, 1, 3, 118 - 128, -128, 127, bits_of(0.0107f)}, dense);
  CHECK(run(program, lowered(std::array{208, 236, 0, 238, 3, 214, 255, 29})) ==
        lowered(std::array{168, 115, 255, 1, 66, 151}));
}

TEST_CASE("MatMulInteger of the ONNX node tests") {
  Dense dense{.input = 0, .output = 1, .weights = {}, .channels = {}};
  dense.weights.codes = {1, 2, 3, 4, 5, 6};
  dense.weights.scale_bits = {bits_of(1.0f)};
  dense.channels.bias = {0, 0};
  dense.channels.multipliers.assign(2, {1 << 30, 1});  // exactly 1: codes are the accumulators
  const Program program = program_of({"a", 1, 1, 3, 12 - 128, -128, 127, bits_of(1.0f)},
                                     {"y", 1, 1, 2, 0, -128, 127, bits_of(1.0f)}, dense);
  CHECK(run(program, lowered(std::array{11, 7, 3, 10, 6, 2, 9, 5, 1, 8, 4, 0})) ==
        std::vector<std::int8_t>{-38, -83, -44, -98, -50, -113, -56, -128});
}

TEST_CASE("the per-channel convolution of TensorFlow Lite Micro's tests") {
  Conv2d conv;
  conv.output = 1;
  conv.window.kernel_h = conv.window.kernel_w = 2;
  // {1,2,3,4,3,4,5,6} at scale 1 and {7,8,5,6,3,4,1,2} at scale 2, half away from zero.
  conv.weights.codes = {1, 2, 3, 4, 3, 4, 5, 6, 4, 4, 3, 3, 2, 2, 1, 1};
  conv.weights.scale_bits = {bits_of(1.0f), bits_of(2.0f)};
  conv.channels.bias = {6, -2};  // 3 at 0.5 * 1 and -2 at 0.5 * 2
  conv.channels.multipliers = {multiplier_of(1.0), multiplier_of(2.0)};
  const Program program = program_of({"x", 2, 3, 2, -1, -128, 127, bits_of(0.5f)},
                                     {"y", 1, 2, 2, -1, -128, 127, bits_of(0.5f)}, conv);
  std::vector<std::int8_t> input;
  for (const int x : {3, 2, 1, -1, -2, -3, 4, 3, 2, -2, -3, -4})
    input.push_back(static_cast<std::int8_t>(2 * x - 1));
  std::vector<std::int8_t> expected;
  for (const int y : {31, 64, -57, -46}) expected.push_back(static_cast<std::int8_t>(2 * y - 1));
  CHECK(run(program, input) == expected);
}

TEST_CASE("multipliers are normalised as the formulas say") {
  CHECK(multiplier_of(1.0) == Multiplier{1 << 30, 1});
  CHECK(multiplier_of(0.25) == Multiplier{1 << 30, -1});
  CHECK(multiplier_of(1.0 - 0x1p-40) == Multiplier{1 << 30, 1});  // rounds up to 2^31, then halves
  CHECK(multiplier_of(0x1p-33) == Multiplier{0, 0});
}

}  // namespace
}  // namespace pare::integer
