// What the generated header and the size report say of memory, against the plan.
#include <doctest/doctest.h>

#include <algorithm>

#include "compression/exporters/c99/c99.h"
#include "compression/exporters/c99/model.h"
#include "compression/integer/operations.h"
#include "compression/integer/plan.h"
#include "tests/integer/random_layer.h"
#include "tests/integer/random_program.h"

namespace pare {
namespace {

C99Export exported(const integer::Program& program) {
  const std::size_t in = static_cast<std::size_t>(program.tensors[program.input].size());
  const std::size_t out = static_cast<std::size_t>(program.tensors[program.output].size());
  const std::vector<std::uint8_t> image(in);
  const std::vector<std::int8_t> codes(out);
  return export_c99(program, {1, image, codes}, {});
}

// The row that weights are unpacked into, of the step with the longest one.
std::int64_t largest_row(const C99Model& model) {
  std::int64_t bytes = 0;
  for (const C99Step& step : model.steps) {
    if (step.layer && step.layer->unpacks())
      bytes = std::max(bytes, step.layer->taps() * model.weight_bytes);
  }
  return bytes;
}

TEST_CASE("the arena of generated C is its plan's, and no larger than the engine's and a row") {
  int rows = 0, smaller = 0;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    const integer::Program program =
        seed % 2 == 0 ? integer::random_layer(seed) : integer::random_program(seed);
    INFO("seed ", seed);
    const C99Model model = plan_c99(program);
    const C99Export c = exported(program);
    CHECK(c.arena == model.plan.bytes);
    CHECK(c.header.find("_ARENA_SIZE " + std::to_string(c.arena) + " /* bytes") !=
          std::string::npos);
    const std::int64_t row = largest_row(model), engine = plan_arena(program).bytes;
    // Where weights take two bytes, every place is even.
    const std::int64_t rounding = model.weight_bytes == 2 ? std::ssize(program.tensors) : 0;
    CHECK(c.arena <= engine + row + rounding);
    rows += row > 0;
    smaller += c.arena < engine;  // a pooling in the step before it
  }
  CHECK(rows > 50);
  CHECK(smaller > 20);
}

TEST_CASE("the RAM of each layer in the size report is what is alive, never above the arena") {
  int reshapes = 0, exact = 0;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    const integer::Program program = integer::random_program(seed);
    INFO("seed ", seed);
    const C99Export c = exported(program);
    std::int64_t most = 0;
    for (const C99Size& layer : c.layers) {
      INFO("layer ", layer.name);
      CHECK(layer.ram <= c.arena);
      CHECK((layer.ram == 0) == (layer.kind == "reshape"));
      reshapes += layer.ram == 0;
      most = std::max(most, layer.ram);
    }
    exact += most == c.arena;
  }
  CHECK(reshapes > 20);
  CHECK(exact > 500);  // the others have a gap between tensors
}

TEST_CASE("a tensor that waits for a later layer counts in the RAM of those before it") {
  integer::Program program;
  program.name = "skip";
  program.tensors = {{"x", 4, 4, 2, 0, -128, 127, 0x3f800000},
                     {"low", 4, 4, 2, 0, -128, 100, 0x3f800000},
                     {"pooled", 1, 1, 2, 0, -128, 100, 0x3f800000},
                     {"lower", 1, 1, 2, 0, -128, 90, 0x3f800000},
                     {"end", 1, 1, 2, 0, -128, 90, 0x3f800000}};
  const integer::Window all{4, 4, 4, 4};
  const integer::Multiplier one = integer::multiplier_of(1.0 / 1024);
  program.operations = {integer::Clamp{0, 1}, integer::MaxPool2d{1, 2, all}, integer::Clamp{2, 3},
                        integer::MaxPool2d{3, 4, {1, 1, 1, 1}}};
  program.output = 4;
  const auto ram = [](const C99Export& c) {
    std::vector<std::int64_t> bytes;
    for (const C99Size& layer : c.layers) bytes.push_back(layer.ram);
    return bytes;
  };
  // Clamps work in place.
  CHECK(ram(exported(program)) == std::vector<std::int64_t>{32, 34, 2, 4});
  // The second branch comes from `low`, which must wait.
  program.operations[2] = integer::MaxPool2d{1, 3, all};
  program.tensors[3].code_max = 100;
  program.operations[3] = integer::Add{2, 3, 4, one, one, one};
  program.tensors[4].code_max = 127;
  CHECK(ram(exported(program)) == std::vector<std::int64_t>{32, 34, 36, 6});
}

}  // namespace
}  // namespace pare
