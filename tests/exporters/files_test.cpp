// Files of other formats, read back: the program in them runs as the one that was written.
#include <doctest/doctest.h>

#include "compression/exporters/safetensors/safetensors.h"
#include "compression/exporters/tflite/flatbuffer.h"
#include "compression/exporters/tflite/tflite.h"
#include "compression/integer/engine.h"
#include "framework/base/error.h"
#include "tests/integer/random_program.h"

namespace pare {
namespace {

std::vector<std::int8_t> outputs_of(const integer::Program& program,
                                    const std::vector<std::int8_t>& codes, std::int64_t images) {
  const integer::Engine engine(program, {.reference = true});
  std::vector<std::int8_t> outputs(static_cast<std::size_t>(images * engine.output_size()));
  engine.run(codes, outputs);
  return outputs;
}

TEST_CASE("safetensors holds all of a program") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const integer::Program program = integer::random_program(seed);
    INFO("seed ", seed);
    CHECK(decode_program_safetensors(encode_program_safetensors(program), "x") == program);
  }
}

TEST_CASE("what TFLite's formulas make of the scales in a file gives the codes of the program") {
  int held = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const integer::Program program = integer::random_program(seed, integer::Grids::int8);
    INFO("seed ", seed);
    std::vector<std::byte> file;
    try {
      file = encode_tflite(program, seed % 2 == 0);
    } catch (const ConfigError& refused) {
      CHECK(std::string(refused.what()).find("what works") != std::string::npos);
      continue;
    }
    ++held;
    const auto codes = integer::random_codes(program, 2, seed);
    CHECK(outputs_of(decode_tflite(file, "x"), codes, 2) == outputs_of(program, codes, 2));
  }
  CHECK(held > 200);
}

TEST_CASE("a wrong scale in a TFLite file gives other codes") {
  int changed = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    integer::Program program = integer::random_program(seed, integer::Grids::int8);
    if (!std::holds_alternative<integer::Conv2d>(program.operations.back())) continue;
    const auto codes = integer::random_codes(program, 2, seed);
    const auto right = outputs_of(program, codes, 2);
    program.tensors[static_cast<std::size_t>(program.output)].scale_bits += 1u << 23;  // doubled
    try {
      changed += outputs_of(decode_tflite(encode_tflite(program, false), "x"), codes, 2) != right;
    } catch (const ConfigError&) {  // a relu6 whose end is elsewhere now
    }
  }
  CHECK(changed > 5);
}

TEST_CASE("a flatbuffer that is cut anywhere is an error or still readable, never a crash") {
  FlatTable child;
  child.scalar(1, std::int32_t{7}).text(2, "name");
  FlatTable root;
  root.scalar(0, std::uint8_t{3})
      .vector(1, std::vector<std::int64_t>{1, -2})
      .tables(3, {child, child});
  const std::vector<std::byte> file = encode_flatbuffer(root, "TEST");
  const FlatView view = FlatView::root(file, "TEST", "x");
  CHECK(view.scalar<std::uint8_t>(0, 0) == 3);
  CHECK(view.vector<std::int64_t>(1) == std::vector<std::int64_t>{1, -2});
  CHECK(view.tables(3).at(1).text(2) == "name");
  CHECK(view.tables(3).at(0).scalar<std::int32_t>(1, 0) == 7);
  CHECK(view.scalar<std::int32_t>(9, 42) == 42);
  for (std::size_t size = 0; size < file.size(); ++size) {
    try {
      const FlatView cut = FlatView::root(std::span(file).first(size), "TEST", "x");
      cut.vector<std::int64_t>(1);
      for (const FlatView& t : cut.tables(3)) t.text(2);
    } catch (const DataError&) {
    }
  }
}

}  // namespace
}  // namespace pare
