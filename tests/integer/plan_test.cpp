#include "compression/integer/plan.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "compression/integer/operations.h"
#include "tests/integer/random_program.h"

namespace pare::integer {
namespace {

// Runs a program on labels instead of codes: every byte of the arena holds the name of the value
// that lives there.
void check_by_simulation(const Program& program, const Plan& plan) {
  std::vector<std::int32_t> arena(plan.bytes, -1);
  std::vector<std::int32_t> value(program.tensors.size());
  const auto range = [&](std::int32_t t) {
    const auto begin = arena.begin() + plan.offsets[t];
    REQUIRE(plan.offsets[t] >= 0);
    REQUIRE(plan.offsets[t] + program.tensors[t].size() <= plan.bytes);
    return std::pair(begin, begin + program.tensors[t].size());
  };
  const auto write = [&](std::int32_t t, std::int32_t v) {
    value[t] = v;
    const auto [begin, end] = range(t);
    std::fill(begin, end, v);
  };
  const auto intact = [&](std::int32_t t) {
    const auto [begin, end] = range(t);
    return std::all_of(begin, end, [&](std::int32_t v) { return v == value[t]; });
  };
  write(program.input, program.input);
  for (const Operation& operation : program.operations) {
    const Inputs inputs = inputs_of(operation);
    const std::int32_t output = output_of(operation);
    const bool in_place =
        std::holds_alternative<Clamp>(operation) || std::holds_alternative<Reshape>(operation);
    if (!in_place) {
      // Kernels write while they read, so the output must not touch what is still to be read.
      write(output, output);
      for (const std::int32_t t : inputs) REQUIRE(intact(t));
      continue;
    }
    REQUIRE(intact(inputs[0]));
    write(output, std::holds_alternative<Reshape>(operation) ? value[inputs[0]] : output);
  }
  REQUIRE(intact(program.output));
}

TEST_CASE("no tensor is overwritten before its last reader, in random programs") {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    const Program program = random_program(seed);
    INFO("seed ", seed);
    check_by_simulation(program, plan_arena(program));
  }
}

TEST_CASE("a chain needs its two largest neighbours and no more") {
  Program program = small_cnn(1);
  const Plan plan = plan_arena(program);
  CHECK(plan.bytes == 28 * 28 * 8 + std::max(28 * 28, 14 * 14 * 8));
  check_by_simulation(program, plan);
}

TEST_CASE("reshape moves nothing, and clamp works in place where its input dies") {
  Program program;
  program.tensors = {{"x", 4, 4, 4, 0, -128, 127, 0x3F800000},
                     {"relu", 4, 4, 4, 0, 0, 127, 0x3F800000},
                     {"flat", 1, 1, 64, 0, 0, 127, 0x3F800000}};
  program.operations = {Clamp{0, 1}, Reshape{1, 2}};
  program.output = 2;
  CHECK(plan_arena(program).bytes == 64);
  CHECK(plan_arena(program).alive == std::vector<std::int64_t>{64, 64});
  // A second reader behind the clamp keeps its input alive.
  program.tensors.push_back({"again", 1, 1, 64, 0, -128, 127, 0x3F800000});
  program.operations.push_back(Reshape{0, 3});
  CHECK(plan_arena(program).bytes == 128);
  // x, which the last step reads, is there while `flat` is made of the relu's codes.
  CHECK(plan_arena(program).alive == std::vector<std::int64_t>{128, 128, 128});
  check_by_simulation(program, plan_arena(program));
}

TEST_CASE("working memory of a step touches no tensor that is alive during it") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Program program = random_program(seed);
    const Schedule schedule = every_operation(program);
    std::vector<std::int64_t> scratch;
    for (std::size_t s = 0; s < schedule.size(); ++s)
      scratch.push_back(s % 3 == 2 ? 0 : static_cast<std::int64_t>(seed % 40) + 1);
    const Plan plan = plan_arena(program, schedule, scratch, 2);
    INFO("seed ", seed);
    for (std::size_t s = 0; s < schedule.size(); ++s) {
      REQUIRE((plan.scratch[s] >= 0) == (scratch[s] > 0));
      if (scratch[s] == 0) continue;
      REQUIRE(plan.scratch[s] % 2 == 0);
      REQUIRE(plan.scratch[s] + scratch[s] <= plan.bytes);
      const auto apart = [&](std::int32_t t) {
        return plan.offsets[t] + program.tensors[t].size() <= plan.scratch[s] ||
               plan.scratch[s] + scratch[s] <= plan.offsets[t];
      };
      REQUIRE(apart(output_of(program.operations[s])));
      for (const std::int32_t t : inputs_of(program.operations[s])) REQUIRE(apart(t));
    }
  }
}

}  // namespace
}  // namespace pare::integer
