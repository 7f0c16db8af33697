#include "compression/integer/engine.h"

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <string>

#include "compression/integer/operations.h"
#include "compression/integer/validate.h"
#include "framework/base/error.h"
#include "tests/integer/random_program.h"
#include "tests/threads.h"

namespace pare::integer {
namespace {

constexpr std::uint64_t kPrograms = 600;

std::int64_t weight_codes(const Program& program) {
  std::int64_t codes = 0;
  for (const Operation& operation : program.operations) {
    std::visit(
        [&](const auto& op) {
          if constexpr (requires { op.weights; }) codes += std::ssize(op.weights.codes);
        },
        operation);
  }
  return codes;
}

TEST_CASE("fast and reference kernels give the same codes in every tensor of random programs") {
  for (std::uint64_t seed = 1; seed <= kPrograms; ++seed) {
    const Program program = random_program(seed);
    const std::vector<std::int8_t> codes = random_codes(program, 1 + seed % 11, seed);
    const Engine fast(program), reference(program, {.reference = true});
    const auto got = fast.run_all(codes), expected = reference.run_all(codes);
    for (std::size_t t = 0; t < got.size(); ++t) {
      INFO("seed ", seed, ", tensor ", program.tensors[t].name);
      REQUIRE(got[t] == expected[t]);
    }
  }
}

TEST_CASE("without the codes that kernels have packed an engine gives the same outputs") {
  std::int64_t released = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const Program program = random_program(seed);
    const Engine whole(program), lean(program, {.keep_codes = false});
    const std::vector<std::int8_t> codes = random_codes(program, 3, seed);
    std::vector<std::int8_t> expected(static_cast<std::size_t>(3 * whole.output_size()));
    std::vector<std::int8_t> got(expected.size());
    whole.run(codes, expected);
    lean.run(codes, got);
    CAPTURE(seed);
    CHECK(got == expected);
    CHECK(lean.run_all(codes) == whole.run_all(codes));
    released += weight_codes(whole.program()) - weight_codes(lean.program());
    CHECK(weight_codes(lean.program()) <= weight_codes(whole.program()));
  }
  CHECK(released > 0);
}

TEST_CASE("random programs draw every operation and every feature") {
  std::map<std::string, int> counts;
  for (std::uint64_t seed = 1; seed <= kPrograms; ++seed) {
    const Program program = random_program(seed);
    ++counts[program.rounding == Rounding::once ? "once" : "twice"];
    for (const Operation& operation : program.operations) {
      ++counts[kind_of(operation)];
      const auto count_layer = [&](const auto& op) {
        if constexpr (requires { op.weights; }) {
          ++counts["bits " + std::to_string(op.weights.bits) +
                   (op.weights.affine ? " affine" : " symmetric")];
          counts["negated"] += !op.channels.negate.empty();
          counts["zero points per channel"] += op.weights.zero_points.size() > 1;
          for (const Multiplier m : op.channels.multipliers) {
            counts["left shift"] += m.shift > 0;
            counts["multiplier 0"] += m.value == 0;
          }
        }
        if constexpr (requires { op.window; }) {
          counts["stride"] += op.window.stride_h > 1;
          counts["padding"] += op.window.pad_top > 0;
        }
        if constexpr (requires { op.groups; }) counts["groups"] += op.groups > 1;
      };
      std::visit(count_layer, operation);
    }
  }
  CHECK(counts.size() == 2 + 9 + 2 * 7 + 7);
  for (const auto& entry : counts) {
    INFO(entry.first);
    CHECK(entry.second >= 10);
  }
}

// Products alone leave int32; behind a bias of -2^30 they do not, and the program is valid.
TEST_CASE("sums start at the bias, without which they would not fit") {
  struct Case {
    std::int32_t width, bits, fraction_bits;
    std::int8_t code;
  };
  constexpr Multiplier kMultiplier{1 << 30, -23};
  for (const Case& c : {Case{260, 8, 0, 127}, Case{600, 4, 3, 7}}) {
    Program program;
    program.name = "large_sums";
    program.tensors = {{"in", 256, c.width, 1, -128, -128, 127, 0x3F800000},
                       {"out", 1, 1, 1, 0, -128, 127, 0x3F800000}};
    program.output = 1;
    const std::int64_t taps = program.tensors[0].size();
    Dense dense{0, 1, {c.bits, false, {}, {}, {0x3F800000}}, {}};
    dense.weights.codes.assign(static_cast<std::size_t>(taps), c.code);
    dense.channels = {c.fraction_bits, {-(1 << 30)}, {kMultiplier}, {}};
    program.operations = {dense};
    validate(program);
    const std::int64_t products = taps * 255 * c.code * (1 << c.fraction_bits);
    REQUIRE(products > std::numeric_limits<std::int32_t>::max());
    const std::vector<std::int8_t> codes(static_cast<std::size_t>(taps), 127);
    const std::int32_t expected = requantize(static_cast<std::int32_t>(products - (1 << 30)),
                                             kMultiplier, program.rounding, 0, -128, 127);
    CHECK(std::abs(expected) < 127);
    for (const bool reference : {false, true}) {
      std::vector<std::int8_t> out(1);
      Engine(program, {.reference = reference}).run(codes, out);
      CHECK(out[0] == expected);
    }
  }
}

TEST_CASE("any number of threads gives the same codes, through run and run_all") {
  for (const std::uint64_t seed : {3, 7, 11, 19}) {
    const Program program = random_program(seed);
    const Engine engine(program);
    const std::vector<std::int8_t> codes = random_codes(program, 53, seed);
    std::vector<std::vector<std::int8_t>> results;
    for (const int threads : {1, 2, 3}) {
      const test::Threads scope(threads);
      std::vector<std::int8_t> outputs(53 * engine.output_size());
      engine.run(codes, outputs);
      engine.run(codes, outputs);  // the second run reuses the memory of the first
      CHECK(outputs == engine.run_all(codes)[program.output]);
      results.push_back(outputs);
    }
    CHECK(results[0] == results[1]);
    CHECK(results[0] == results[2]);
  }
}

TEST_CASE("codes outside the input's range are refused") {
  Program program = random_program(5);
  Tensor& input = program.tensors[program.input];
  program.pixel_codes.clear();
  input.code_min = std::max(input.code_min, -127);
  std::vector<std::int8_t> codes(input.size(), static_cast<std::int8_t>(input.code_min));
  const Engine engine(program);
  std::vector<std::int8_t> outputs(engine.output_size());
  engine.run(codes, outputs);
  codes.back() = static_cast<std::int8_t>(input.code_min - 1);
  CHECK_THROWS_AS(engine.run(codes, outputs), DataError);
  codes.pop_back();
  CHECK_THROWS_AS(engine.run_all(codes), DataError);
}

TEST_CASE("pixels go through the table of their channel") {
  Program program = random_program(1);
  Tensor& input = program.tensors[program.input];
  program.pixel_codes.clear();
  CHECK_THROWS_AS(Engine(program).pixels_to_codes({}, {}), DataError);
  for (std::int32_t c = 0; c < input.channels; ++c) {
    auto& table = program.pixel_codes.emplace_back();
    table.fill(static_cast<std::int8_t>(input.code_min));
    table[7] = static_cast<std::int8_t>(input.code_min + (c % 2));
  }
  const Engine engine(program);
  const std::vector<std::uint8_t> pixels(engine.input_size(), 7);
  std::vector<std::int8_t> codes(pixels.size());
  engine.pixels_to_codes(pixels, codes);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    REQUIRE(codes[i] == input.code_min + static_cast<int>(i) % input.channels % 2);
  }
}

TEST_CASE("the label is the smallest index among equal maxima") {
  const std::vector<std::int8_t> scores{-128, 5, -3, 5, 4};
  CHECK(Engine::label(scores) == 1);
  CHECK(Engine::label(std::vector<std::int8_t>(10, -128)) == 0);
}

}  // namespace
}  // namespace pare::integer
