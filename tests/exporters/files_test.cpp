// Files of other formats, read back: the program in them runs as the one that was written.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "compression/exporters/c99/c99.h"
#include "compression/exporters/c99/model.h"
#include "compression/exporters/safetensors/safetensors.h"
#include "compression/exporters/tflite/flatbuffer.h"
#include "compression/exporters/tflite/schema.h"
#include "compression/exporters/tflite/tflite.h"
#include "compression/integer/engine.h"
#include "framework/base/error.h"
#include "framework/io/safetensors.h"
#include "tests/integer/random_builder.h"
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

TEST_CASE("a safetensors file that others would read another way is refused") {
  const integer::Program program = integer::small_cnn(1);
  const SafeTensors right = decode_safetensors(encode_program_safetensors(program), "x");
  const auto refused = [](const SafeTensors& file, const char* why) {
    INFO(why);
    try {
      decode_program_safetensors(encode_safetensors(file), "x");
      FAIL("it was read");
    } catch (const DataError& error) {
      CHECK(std::string(error.what()).find(why) != std::string::npos);
    }
  };
  const auto first_weights = [](SafeTensors& file) -> NamedArray& {
    return *std::find_if(file.arrays.begin(), file.arrays.end(),
                         [](const NamedArray& a) { return a.name.ends_with(".weight"); });
  };
  CHECK(decode_program_safetensors(encode_safetensors(right), "x") == program);
  SafeTensors file = right;  // the low byte, which is all that int8 holds, stays
  first_weights(file).bytes[2] ^= std::byte{1};
  refused(file, "expected -128 to 127");
  file = right;
  std::reverse(first_weights(file).shape.begin(), first_weights(file).shape.end());
  refused(file, "another shape");
  file = right;
  std::string& graph = file.metadata.back().second;
  const std::size_t scale = graph.find("\"scale\":") + 8;
  graph.replace(scale, graph.find(',', scale) - scale, "1.5");
  refused(file, "scale and scale_bits differ");
}

TEST_CASE("a TFLite model of floats holds what codes stand for, for any number of images") {
  integer::Program program = integer::random_program(1, integer::Grids::int8);
  program.tensors = {{"x", 1, 1, 3, -128, -128, 127, 0x3F000000},  // 0.5
                     {"y", 1, 1, 2, 0, -128, 127, 0x3F800000}};
  integer::Dense dense{0, 1, {}, {}};
  dense.weights.codes = {1, -2, 3, 4, 5, -127};
  dense.weights.scale_bits = {0x3E800000, 0x40000000};  // 0.25, 2
  dense.channels.bias = {8, -3};
  dense.channels.multipliers = {{1 << 30, -2}, {1 << 30, 1}};
  program.operations = {dense};
  program.input = 0;
  program.output = 1;
  const std::vector<std::byte> file = encode_float_tflite(program, 64);
  const FlatView model = FlatView::root(file, tflite::kIdentifier, "x");
  std::map<std::string, std::vector<float>> values;
  for (const FlatView& t :
       model.tables(tflite::model::subgraphs)[0].tables(tflite::subgraph::tensors)) {
    const std::string name = t.text(tflite::tensor::name);
    const auto shape = t.vector<std::int32_t>(tflite::tensor::shape);
    if (name == "x") CHECK(shape == std::vector<std::int32_t>{64, 1, 1, 3});
    if (name == "y") CHECK(shape == std::vector<std::int32_t>{64, 2});
    if (t.scalar<std::int8_t>(tflite::tensor::type, 0) != 0) continue;
    const auto buffer = t.scalar<std::uint32_t>(tflite::tensor::buffer, 0);
    const auto bytes =
        model.tables(tflite::model::buffers)[buffer].vector<std::int8_t>(tflite::buffer::data);
    values[name].resize(bytes.size() / sizeof(float));
    if (!bytes.empty()) std::memcpy(values[name].data(), bytes.data(), bytes.size());
  }
  CHECK(values.at("x").empty());
  CHECK(values.at("y_weights") == std::vector<float>{0.25f, -0.5f, 0.75f, 8, 10, -254});
  CHECK(values.at("y_bias") == std::vector<float>{1, -3});
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

// A vector that two convolutions read.
integer::Program forked_vector(std::uint64_t seed) {
  integer::Builder b(seed, integer::Grids::int8);
  integer::Dense dense;
  dense.input = b.add_tensor(1, 1, 8);
  dense.output = b.add_tensor(1, 1, 4);
  b.finish_layer(std::move(dense));
  for (int k = 0; k < 2; ++k) {
    integer::Conv2d conv;
    conv.input = 1;
    conv.output = b.add_tensor(1, 1, 3);
    b.finish_layer(std::move(conv));
  }
  b.program().output = 3;
  return b.program();
}

// TFLite makes an image of the vector, twice.
TEST_CASE("tensors that TFLite needs beside the program's have names of their own") {
  int held = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    integer::Program program = forked_vector(seed);
    program.tensors[1].name = seed % 2 == 0 ? std::string(255, 'v') : "v";
    program.tensors[2].name = "v_image";
    INFO("seed ", seed);
    std::vector<std::byte> file;
    try {
      file = encode_tflite(program, false);
    } catch (const ConfigError&) {  // a relu6 whose end is elsewhere
      continue;
    }
    ++held;
    const auto codes = integer::random_codes(program, 2, seed);
    CHECK(outputs_of(decode_tflite(file, "x"), codes, 2) == outputs_of(program, codes, 2));
  }
  CHECK(held > 5);
}

// A pooling with a relu, on a grid of which no code reaches 6: the quotient is no number of an
// int32.
integer::Program pooling(const char* name) {
  integer::Program program;
  program.name = name;
  program.tensors = {{"x", 2, 2, 1, -1, -128, 127, 0x00800000},
                     {"y", 1, 1, 1, -1, -1, 127, 0x00800000}};
  program.operations = {integer::MaxPool2d{0, 1, {2, 2, 2, 2}}};
  program.output = 1;
  return program;
}

TEST_CASE("a scale so small that 6 has no code is none of relu6") {
  integer::Program program = pooling("tiny");
  const auto codes = integer::random_codes(program, 9, 1);
  const auto file = encode_tflite(program, false);
  CHECK(outputs_of(decode_tflite(file, "x"), codes, 9) == outputs_of(program, codes, 9));
  program.tensors[1].code_max = 100;
  CHECK_THROWS_AS(encode_tflite(program, false), ConfigError);
}

TEST_CASE("names that model.pare refuses are refused in other formats, and by the writer of C") {
  const C99Golden none{0, {}, {}};
  for (const char* name : {"*/", "../escaped", "a b", "", "node1"}) {
    INFO("name: ", name);
    integer::Program program = integer::small_cnn(1);
    program.tensors[2].name = name;
    CHECK_THROWS_AS(decode_program_safetensors(encode_program_safetensors(program), "x"),
                    DataError);
    CHECK_THROWS_AS(export_c99(program, none, {}), DataError);
  }
  integer::Program program = pooling("../escaped");
  CHECK_THROWS_AS(decode_program_safetensors(encode_program_safetensors(program), "x"), DataError);
  CHECK_THROWS_AS(decode_tflite(encode_tflite(program, false), "x"), DataError);
  CHECK_THROWS_AS(export_c99(program, none, {}), DataError);
  program = pooling("fine");
  program.tensors[1].name = "*/";
  CHECK_THROWS_AS(decode_tflite(encode_tflite(program, false), "x"), DataError);
}

TEST_CASE("no name ends a comment of generated C") {
  integer::Program program = integer::small_cnn(1);
  program.tensors.back().name = "a*/b\n\xff";
  CHECK(plan_c99(program).steps.back().name == "a*_b??");
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
