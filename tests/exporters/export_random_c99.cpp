// export_random_c99 FOLDER COUNT: random programs as C with the engine's codes in their self tests
// (r0.c, r0.h, r0_selftest.c, ...), and all.c, whose main runs every self test and returns 0 where
// all of them pass. What compilers are tried on (tests/exporters/c99_test.py).
#include <cstdio>
#include <cstdlib>
#include <string>

#include "compression/exporters/c99/c99.h"
#include "compression/integer/engine.h"
#include "compression/integer/operations.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "tests/integer/random_layer.h"
#include "tests/integer/random_program.h"

namespace pare {
namespace {

constexpr std::size_t kImages = 3;

// Layers whose weights are all zero, as pruning may leave them: nothing of them is stored.
void zero_weights(integer::Program& program) {
  for (integer::Operation& operation : program.operations) {
    std::visit(
        [&](auto& op) {
          if constexpr (requires { op.weights; }) {
            const integer::WeightLayout layout =
                weight_layout(op, program.tensors[static_cast<std::size_t>(op.input)],
                              program.tensors[static_cast<std::size_t>(op.output)]);
            for (std::int64_t i = 0; i < layout.count(); ++i) {
              op.weights.codes[static_cast<std::size_t>(i)] =
                  static_cast<std::int8_t>(zero_point(op.weights, layout.channel(i)));
            }
          }
        },
        operation);
  }
}

// What the program is run on; bytes of codes, or pixels that `codes` becomes those of.
std::vector<std::uint8_t> images_for(const integer::Engine& engine,
                                     std::vector<std::int8_t>& codes) {
  std::vector<std::uint8_t> images;
  for (const std::int8_t code : codes) images.push_back(static_cast<std::uint8_t>(code));
  if (!engine.program().pixel_codes.empty()) engine.pixels_to_codes(images, codes);
  return images;
}

void write_program(const std::string& folder, int index) {
  const auto seed = 7000 + static_cast<std::uint64_t>(index);
  // Every third one is a single layer with operands at the ends of their ranges.
  integer::Program program =
      index % 3 == 2 ? integer::random_layer(seed) : integer::random_program(seed);
  if (index % 5 == 4) zero_weights(program);
  if (index % 3 == 1) program.pixel_codes.clear();  // codes reach more than pixels do
  const integer::Engine engine(program, {.reference = true});
  std::vector<std::int8_t> codes = integer::extreme_codes(program, kImages, seed);
  const std::vector<std::uint8_t> images = images_for(engine, codes);
  std::vector<std::int8_t> outputs(kImages * static_cast<std::size_t>(engine.output_size()));
  engine.run(codes, outputs);
  const C99Golden golden{kImages, images, outputs};
  const std::string name = "r" + std::to_string(index);
  const C99Export c = export_c99(program, golden, {.name = name, .bytes = index % 4 == 3});
  write_file_atomically(folder + "/" + name + ".h", c.header);
  write_file_atomically(folder + "/" + name + ".c", c.source);
  write_file_atomically(folder + "/" + name + "_selftest.c", c.selftest);
}

std::string main_of(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "#include \"r" + std::to_string(i) + ".h\"\n";
  text += "\nstatic uint32_t arena[1 << 14];\n\nint main(void)\n{\n";
  for (int i = 0; i < count; ++i) {
    text += "  if (r" + std::to_string(i) + "_selftest(arena, sizeof arena) != 0) return " +
            std::to_string(1 + i % 250) + ";\n";
  }
  return text + "  return 0;\n}\n";
}

}  // namespace
}  // namespace pare

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "usage: export_random_c99 FOLDER COUNT\n");
    return 2;
  }
  try {
    const int programs = std::atoi(words[2]);
    for (int i = 0; i < programs; ++i) pare::write_program(words[1], i);
    pare::write_file_atomically(std::string(words[1]) + "/all.c", pare::main_of(programs));
    return 0;
  } catch (const pare::Error& error) {
    std::fprintf(stderr, "export_random_c99: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
