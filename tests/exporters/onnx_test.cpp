// ONNX models: what the graph means by ONNX's definitions, operation by operation, against the
// engine; and what the verification of `export` says of a graph that means something else.
#include "compression/exporters/onnx/onnx.h"

#include <doctest/doctest.h>

#include <cmath>

#include "apps/lib/export/formats.h"
#include "compression/exporters/onnx/evaluate.h"
#include "compression/exporters/onnx/protobuf.h"
#include "framework/base/error.h"
#include "tests/integer/random_layer.h"
#include "tests/integer/random_program.h"

namespace pare {
namespace {

using integer::Program;

// What `export` makes of a program, verified on these images; the engine's outputs may be others
// than the program's.
Exported exported(const Program& program, const Program& truth, std::uint64_t seed, bool bytes) {
  Sample sample;
  sample.count = 2;
  sample.source = "random images";
  sample.codes = integer::random_codes(truth, sample.count, seed);
  const integer::Engine engine(truth, {.reference = true});
  sample.outputs.resize(static_cast<std::size_t>(sample.count * engine.output_size()));
  engine.run(sample.codes, sample.outputs);
  return export_as_onnx({program, "model", bytes, true, sample});
}

TEST_CASE("every operation of a random program gives the engine's codes as ONNX, or one beside") {
  int held = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const Program program = integer::random_program(seed);
    INFO("seed ", seed);
    try {
      const auto done = exported(program, program, seed, seed % 2 == 0);  // CHECK would catch
      CHECK(done.verified.starts_with("verified"));
      ++held;
    } catch (const VerificationError& error) {
      // Codes of scores that were never trained lie close together; a chain of operations may turn
      // their order. One operation may not.
      const std::string message = error.what();
      CHECK_MESSAGE(message.find("another label") != std::string::npos, message);
    } catch (const ConfigError& refused) {
      CHECK(std::string(refused.what()).find("what works") != std::string::npos);
    }
  }
  CHECK(held > 300);
}

TEST_CASE("a scale that the engine's multipliers do not come from is noticed") {
  int noticed = 0, tried = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Program program = integer::random_layer(seed);
    auto* conv = std::get_if<integer::Conv2d>(&program.operations[0]);
    if (conv == nullptr) continue;
    for (std::uint32_t& bits : conv->weights.scale_bits) bits += 1u << 22;  // half as large again
    ++tried;
    try {
      exported(program, program, seed, false);
    } catch (const VerificationError& error) {
      CHECK(std::string(error.what()).find("differs by") != std::string::npos);
      ++noticed;
    }
  }
  CHECK(noticed * 3 > tried);  // the others saturate, or their biases are larger than the sums
}

TEST_CASE("labels that the engine decides and the file gives otherwise are noticed") {
  int noticed = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Program program = integer::small_cnn(seed);
    CHECK_NOTHROW(exported(program, program, seed, false));
    Program truth = program;
    auto& last = std::get<integer::Dense>(truth.operations.back());
    last.channels.negate.resize(last.channels.bias.size());
    for (std::uint8_t& negate : last.channels.negate) negate = 1 - negate;
    for (std::int32_t& bias : last.channels.bias) bias = -bias;
    try {
      exported(program, truth, seed, false);
    } catch (const VerificationError&) {
      ++noticed;
    }
  }
  CHECK(noticed > 2);  // the others' codes hardly depend on the image
}

TEST_CASE("QuantizeLinear rounds half to even and saturates, DequantizeLinear takes the zero off") {
  // onnx.ai, QuantizeLinear: "round to the nearest even"; its node test has scale 2, zero 128.
  using namespace onnx;  // NOLINT
  const auto floats = [](std::vector<float> values) {
    const auto bytes = std::as_bytes(std::span(values));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  };
  Graph graph;
  graph.constants = {{"one", Type::float32, {}, floats({1})},
                     {"two", Type::float32, {}, floats({2})},
                     {"none", Type::int8, {}, {std::byte{0}}},
                     {"z", Type::uint8, {}, {std::byte{128}}}};
  graph.input = {"x", Type::int8, {9}};
  graph.nodes = {{"DequantizeLinear", {"x", "one", "none"}, "real", {}},
                 {"QuantizeLinear", {"real", "two", "z"}, "y", {}}};
  graph.output = {"y", Type::uint8, {9}};
  const Evaluation evaluation(decode(encode(graph), "x"), "x");
  const std::vector<double> x = {0, 2, 3, 1000, -254, -1000, 1, 5, -3};
  CHECK(evaluation.run(x) == std::vector<double>{128, 129, 130, 255, 1, 0, 128, 130, 126});
}

TEST_CASE("what ONNX cannot hold is refused with the layer and what works") {
  Program program = integer::small_cnn(1);
  program.tensors[0].scale_bits = 0x00800000;  // the smallest normal float32
  try {
    onnx_graph(program, false);
    CHECK(false);
  } catch (const ConfigError& error) {
    const std::string message = error.what();
    CHECK(message.find("operation 0 (conv2d") != std::string::npos);
    CHECK(message.find("what works") != std::string::npos);
  }
}

TEST_CASE("a model that is cut or changed anywhere is an error or still readable, never a crash") {
  const std::vector<std::byte> file = onnx::encode(onnx_graph(integer::random_program(5), false));
  REQUIRE(onnx::encode(onnx::decode(file, "x")) == file);
  integer::Draw draw(1);
  for (int trial = 0; trial < 3000; ++trial) {
    std::vector<std::byte> damaged = file;
    damaged.resize(static_cast<std::size_t>(draw.between(0, static_cast<int>(file.size()))));
    for (int k = draw.between(0, 3); k > 0 && !damaged.empty(); --k) {
      const int at = draw.between(0, static_cast<int>(damaged.size()) - 1);
      damaged[static_cast<std::size_t>(at)] = static_cast<std::byte>(draw.between(0, 255));
    }
    try {
      onnx::decode(damaged, "x");
    } catch (const DataError&) {
    }
  }
}

}  // namespace
}  // namespace pare
