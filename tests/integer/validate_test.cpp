#include "compression/integer/validate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "compression/integer/engine.h"
#include "framework/base/error.h"
#include "tests/integer/random_program.h"

namespace pare::integer {
namespace {

constexpr std::uint32_t kOne = 0x3F800000;  // 1.0f
const Multiplier kHalf{1 << 30, 0};

Channels plain_channels(int outputs) {
  return {0, std::vector<std::int32_t>(outputs, 0), std::vector<Multiplier>(outputs, kHalf), {}};
}

Weights plain_weights(int count) {
  return {8, false, std::vector<std::int8_t>(count, 1), {}, {kOne}};
}

// x (4x4x2) -> conv 3x3 same (3) -> max pool -> global average; x -> depthwise; conv + conv -> add;
// average pool; clamp; reshape; dense: each kind once.
Program every_kind() {
  Program p;
  p.name = "kinds";
  const Window same{3, 3, 1, 1, 1, 1, 1, 1}, half{2, 2, 2, 2, 0, 0, 0, 0};
  const auto tensor = [](const char* name, int h, int w, int c) {
    return Tensor{name, h, w, c, 0, -128, 127, kOne};
  };
  p.tensors = {tensor("x", 4, 4, 2),     tensor("conv", 4, 4, 4), tensor("depthwise", 4, 4, 4),
               tensor("sum", 4, 4, 4),   tensor("max", 2, 2, 4),  tensor("average", 1, 1, 4),
               tensor("relu", 1, 1, 4),  tensor("flat", 1, 2, 2), tensor("dense", 1, 1, 3),
               tensor("global", 1, 1, 3)};
  p.operations = {Conv2d{0, 1, same, 2, plain_weights(36), plain_channels(4)},
                  DepthwiseConv2d{0, 2, same, plain_weights(36), plain_channels(4)},
                  Add{1, 2, 3, kHalf, kHalf, {1 << 30, -18}},
                  MaxPool2d{3, 4, half},
                  AveragePool2d{4, 5, half},
                  Clamp{5, 6},
                  Reshape{6, 7},
                  Dense{7, 8, plain_weights(12), plain_channels(3)},
                  GlobalAverage{8, 9, kHalf}};
  p.output = 9;
  return p;
}

// The message that validate() refuses `program` with, "" where it does not.
std::string refusal(const Program& program) {
  try {
    validate(program);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

struct Fault {
  const char* message;  // a part of it
  std::function<void(Program&)> make;
};

template <class Op>
Op& op(Program& p, int index) {
  return std::get<Op>(p.operations[index]);
}

void refuses_each(const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    Program program = every_kind();
    fault.make(program);
    const std::string message = refusal(program);
    INFO("expected: ", fault.message, "; got: ", message);
    CHECK(message.find(fault.message) != std::string::npos);
    CHECK(message.starts_with("model '"));
    if (!message.empty()) CHECK_THROWS_AS(Engine{program}, DataError);
  }
}

TEST_CASE("a program with every kind of operation is valid") {
  CHECK(refusal(every_kind()) == "");
  for (std::uint64_t seed = 1; seed <= 300; ++seed) CHECK(refusal(random_program(seed)) == "");
}

TEST_CASE("faults of tensors are refused") {
  refuses_each({
      {"height is 0", [](Program& p) { p.tensors[0].height = 0; }},
      {"width is 65537", [](Program& p) { p.tensors[0].width = 65537; }},
      {"channels is -1", [](Program& p) { p.tensors[0].channels = -1; }},
      {"number of codes is", [](Program& p) { p.tensors[0].height = p.tensors[0].width = 65536; }},
      {"tensor 1 ('conv'): zero point is 128", [](Program& p) { p.tensors[1].zero_point = 128; }},
      {"code_min is -129", [](Program& p) { p.tensors[1].code_min = -129; }},
      {"code_max is 3, expected 4 .. 127",
       [](Program& p) { p.tensors[1].code_min = 4, p.tensors[1].code_max = 3; }},
      {"code_max is 128", [](Program& p) { p.tensors[1].code_max = 128; }},
      {"scale", [](Program& p) { p.tensors[1].scale_bits = 0; }},
      {"scale", [](Program& p) { p.tensors[1].scale_bits = 0x7F800000; }},
      {"scale", [](Program& p) { p.tensors[1].scale_bits |= 0x80000000; }},
      {"number of tensors", [](Program& p) { p.tensors.clear(); }},
      {"rounding is 2", [](Program& p) { p.rounding = static_cast<Rounding>(2); }},
      {"input is 10", [](Program& p) { p.input = 10; }},
      {"output is -1", [](Program& p) { p.output = -1; }},
      {"one per input channel (2), got 1", [](Program& p) { p.pixel_codes.resize(1); }},
      {"is outside the input's",
       [](Program& p) { p.tensors[0].code_min = 1, p.pixel_codes.resize(2); }},
  });
}

// Names become files, stand in comments of generated code and in JSON, and go to terminals.
TEST_CASE("what is no name is refused, with a message that a terminal can take") {
  const std::string long_name(256, 'x');
  for (const std::string& name :
       {std::string("a\x1b[31m"), std::string("a\nb"), std::string("*/"), std::string("a/b"),
        std::string("a b"), std::string("a:b"), std::string("a\"b"), std::string("a\\b"),
        std::string("@NAME@"), std::string("a\xff"), std::string("\xc3\xa9"),
        std::string("a\0b", 3), std::string(), std::string("."), std::string("../escaped"),
        std::string(".hidden"), long_name}) {
    INFO("name: ", name);
    refuses_each({{"program: the name has", [&](Program& p) { p.name = name; }},
                  {"tensor 3: the name has", [&](Program& p) { p.tensors[3].name = name; }}});
    Program program = every_kind();
    program.name = program.tensors[9].name = name;
    const std::string message = refusal(program);
    CHECK(message.size() < 1000);
    CHECK(std::all_of(message.begin(), message.end(), [](char c) { return c >= ' ' && c <= '~'; }));
  }
}

TEST_CASE("names of 1 to 255 letters, digits, '_', '-' and '.' are names") {
  for (const std::string& name : {std::string("a"), std::string("0"), std::string("A_b-9.json"),
                                  std::string("-"), std::string(255, 'x')}) {
    Program program = every_kind();
    program.name = program.tensors[3].name = name;
    CHECK(refusal(program) == "");
  }
}

TEST_CASE("two tensors have two names") {
  refuses_each({{"tensor 9 ('conv'): has the name of an earlier tensor",
                 [](Program& p) { p.tensors[9].name = "conv"; }}});
}

// Clamps of 2^26 codes, one behind another.
Program large_clamps(int tensors) {
  Program p;
  p.name = "large";
  for (int t = 0; t < tensors; ++t) {
    p.tensors.push_back({"t" + std::to_string(t), 8192, 8192, 1, 0, -128, 127, kOne});
    if (t > 0) p.operations.emplace_back(Clamp{t - 1, t});
  }
  p.output = tensors - 1;
  return p;
}

TEST_CASE("the codes of all tensors together are limited") {
  CHECK(refusal(large_clamps(2)) == "");
  CHECK(refusal(large_clamps(3)).find("all tensors have 201326592 codes, expected at most") !=
        std::string::npos);
}

// Each pooling makes side x side codes of one pixel and reads side x side taps for each.
Program amplifying_pools(int count, std::int32_t side) {
  Program p;
  p.name = "pools";
  p.tensors = {{"x", 1, 1, 1, 0, -128, 127, kOne}};
  const std::int32_t pad = side - 1;
  for (int k = 1; k <= count; ++k) {
    p.tensors.push_back({"t" + std::to_string(k), side, side, 1, 0, -128, 127, kOne});
    const Window window{side, side, 1, 1, pad, pad, pad, pad};
    if (k % 2 != 0)
      p.operations.emplace_back(MaxPool2d{0, k, window});
    else
      p.operations.emplace_back(AveragePool2d{0, k, window});
  }
  p.output = count;
  return p;
}

TEST_CASE("the steps of an image are limited, those of pools and of all operations together") {
  CHECK(refusal(amplifying_pools(15, 256)) == "");  // 2^32 and a little for each
  for (const Program& program : {amplifying_pools(16, 256), amplifying_pools(1, 8192)}) {
    INFO(refusal(program));
    CHECK(refusal(program).find("steps or more, expected at most 68719476736") !=
          std::string::npos);
    CHECK_THROWS_AS(Engine{program}, DataError);
  }
}

TEST_CASE("a convolution that reads much and writes little has the steps of what it reads") {
  Program p;
  p.name = "readers";
  p.tensors = {{"x", 8192, 8192, 1, 0, -128, 127, kOne}};
  const auto add_readers = [&](int count) {
    for (; count > 0; --count) {
      const auto t = static_cast<std::int32_t>(p.tensors.size());
      p.tensors.push_back({"t" + std::to_string(t), 1, 1, 1, 0, -128, 127, kOne});
      p.operations.emplace_back(
          Conv2d{0, t, {1, 1, 8192, 8192}, 1, plain_weights(1), plain_channels(1)});
    }
  };
  add_readers(1023);
  CHECK(refusal(p) == "");
  add_readers(1);
  CHECK(refusal(p).find("steps or more") != std::string::npos);
}

TEST_CASE("faults of the graph are refused") {
  refuses_each({
      {"operation 0 (conv2d 'conv'): tensor index 10",
       [](Program& p) { op<Conv2d>(p, 0).input = 10; }},
      {"tensor index -1", [](Program& p) { op<Conv2d>(p, 0).output = -1; }},
      {"tensor index 99", [](Program& p) { op<Add>(p, 2).b = 99; }},
      {"before it is written", [](Program& p) { std::swap(p.operations[1], p.operations[2]); }},
      {"a second time", [](Program& p) { op<DepthwiseConv2d>(p, 1).output = 1; }},
      {"reads tensor 'x' before it is written", [](Program& p) { p.input = 1; }},
      {"('spare'): is never written",
       [](Program& p) {
         p.tensors.push_back({"spare", 1, 1, 1, 0, -128, 127, kOne});
       }},
      {"number of operations", [](Program& p) { p.operations.resize(4097, Clamp{}); }},
  });
}

TEST_CASE("faults of windows and shapes are refused") {
  refuses_each({
      {"kernel height is 0", [](Program& p) { op<Conv2d>(p, 0).window.kernel_h = 0; }},
      {"stride width is 0", [](Program& p) { op<MaxPool2d>(p, 3).window.stride_w = 0; }},
      {"stride height is 70000", [](Program& p) { op<MaxPool2d>(p, 3).window.stride_h = 70000; }},
      {"padding before height is 3", [](Program& p) { op<Conv2d>(p, 0).window.pad_top = 3; }},
      {"padding after width is -1", [](Program& p) { op<Conv2d>(p, 0).window.pad_right = -1; }},
      {"more than the padded image (2)",
       [](Program& p) { op<AveragePool2d>(p, 4).window.kernel_h = 3; }},
      {"gives 3 x 4 x 4", [](Program& p) { op<Conv2d>(p, 0).window.pad_bottom = 0; }},
      {"gives 2 x 2 x 4", [](Program& p) { p.tensors[4].channels = 3; }},
      {"groups is 0", [](Program& p) { op<Conv2d>(p, 0).groups = 0; }},
      {"groups is 3", [](Program& p) { op<Conv2d>(p, 0).groups = 3; }},
      {"expected a multiple", [](Program& p) { p.tensors[2].channels = 5; }},
      {"must have the same shape", [](Program& p) { op<Add>(p, 2).b = 0; }},
      {"gives 4 x 4 x 4", [](Program& p) { p.tensors[3].width = 3; }},
      {"gives 1 x 1 x 3", [](Program& p) { p.tensors[8].height = 2; }},
      {"gives 1 x 1 x 3", [](Program& p) { p.tensors[9].channels = 4; }},
      {"same number of codes", [](Program& p) { p.tensors[7].height = 2; }},
      {"must share scale", [](Program& p) { p.tensors[7].zero_point = 1; }},
      {"must share scale", [](Program& p) { p.tensors[6].scale_bits += 1; }},
      {"must share scale", [](Program& p) { p.tensors[4].zero_point = 1; }},
      {"narrower than the input's", [](Program& p) { p.tensors[7].code_max = 126; }},
  });
}

TEST_CASE("faults of weights and channels are refused") {
  const auto weights = [](Program& p) -> Weights& { return op<Conv2d>(p, 0).weights; };
  const auto channels = [](Program& p) -> Channels& { return op<Conv2d>(p, 0).channels; };
  refuses_each({
      {"weight bits is 0", [&](Program& p) { weights(p).bits = 0; }},
      {"weight bits is 9", [&](Program& p) { weights(p).bits = 9; }},
      {"weight codes: expected 36, got 35", [&](Program& p) { weights(p).codes.pop_back(); }},
      {"weight code is -128, expected -127", [&](Program& p) { weights(p).codes[3] = -128; }},
      {"weight code is 2, expected -2 .. 1",
       [&](Program& p) { weights(p).bits = 2, weights(p).codes[3] = 2; }},
      {"weight zero points (symmetric)", [&](Program& p) { weights(p).zero_points = {0}; }},
      {"weight zero points: expected 4, got 0", [&](Program& p) { weights(p).affine = true; }},
      {"weight zero point is 100, expected 112 .. 127",
       [&](Program& p) {
         weights(p).affine = true, weights(p).bits = 4, weights(p).zero_points = {100};
       }},
      {"weight scales: expected 4, got 2",
       [&](Program& p) { weights(p).scale_bits.push_back(kOne); }},
      {"weight scale", [&](Program& p) { weights(p).scale_bits = {0xFFC00000}; }},
      {"biases: expected 4, got 3", [&](Program& p) { channels(p).bias.pop_back(); }},
      {"bias is 1073741825", [&](Program& p) { channels(p).bias[0] = (1 << 30) + 1; }},
      {"multipliers: expected 4", [&](Program& p) { channels(p).multipliers.pop_back(); }},
      {"multiplier value is 1073741823",
       [&](Program& p) { channels(p).multipliers[0].value = (1 << 30) - 1; }},
      {"multiplier value is -1073741824",
       [&](Program& p) { channels(p).multipliers[0].value = -(1 << 30); }},
      {"multiplier shift is 31", [&](Program& p) { channels(p).multipliers[0].shift = 31; }},
      {"multiplier shift is -32", [&](Program& p) { channels(p).multipliers[0].shift = -32; }},
      {"fraction bits is 1, expected 0 .. 0", [&](Program& p) { channels(p).fraction_bits = 1; }},
      {"fraction bits is 4, expected 0 .. 3",
       [&](Program& p) { weights(p).bits = 4, channels(p).fraction_bits = 4; }},
      {"fraction bits is -1", [&](Program& p) { channels(p).fraction_bits = -1; }},
      {"multiplier shift plus fraction bits is 31, expected -31 .. 30",
       [&](Program& p) {
         weights(p).bits = 4, channels(p).fraction_bits = 3;
         channels(p).multipliers[0].shift = 28;
       }},
      {"signs: expected 4, got 1", [&](Program& p) { channels(p).negate = {1}; }},
      {"sign is 2",
       [&](Program& p) {
         channels(p).negate = {0, 0, 2, 0};
       }},
      {"multiplier of b shift", [](Program& p) { op<Add>(p, 2).scale_b.shift = 40; }},
      {"multiplier value is -1", [](Program& p) { op<GlobalAverage>(p, 8).multiplier.value = -1; }},
  });
}

TEST_CASE("an accumulator that could overflow is refused, with its bound") {
  refuses_each({
      // 18 taps of 1 * 128 stay below 2^12; a left shift of 20 is too much.
      {"(conv2d 'conv'): the accumulator of channel 2 can reach 1152, but with a left shift of 21 "
       "only 1023 fits",
       [](Program& p) { op<Conv2d>(p, 0).channels.multipliers[2].shift = 21; }},
      {"the accumulator of channel 1 can reach",
       [](Program& p) { op<DepthwiseConv2d>(p, 1).channels.multipliers[1].shift = 30; }},
      {"operand a can reach 134217728", [](Program& p) { op<Add>(p, 2).scale_a.shift = 4; }},
      {"the sum can reach", [](Program& p) { op<Add>(p, 2).scale_output.shift = 30; }},
      {"the sum of an image can reach",
       [](Program& p) { op<GlobalAverage>(p, 8).multiplier.shift = 30; }},
  });
}

TEST_CASE("the bound is exact: the worst input reaches it") {
  Draw draw(3);
  for (int trial = 0; trial < 200; ++trial) {
    Tensor input{"x", 1, 1, 9, draw.between(-128, 127), -128, 127, kOne}, output{"y", 1, 1, 1};
    input.code_min = draw.between(-128, input.zero_point);
    input.code_max = draw.between(input.zero_point, 127);
    Dense dense{0, 1, {8, true, {}, {draw.between(-128, 127)}, {kOne}}, plain_channels(1)};
    dense.channels.bias[0] = draw.between(-1000, 1000);
    dense.channels.fraction_bits = draw.between(0, 6);
    if (draw.chance(50)) dense.channels.negate = {1};
    for (int k = 0; k < 9; ++k)
      dense.weights.codes.push_back(static_cast<std::int8_t>(draw.between(-128, 127)));
    // Each tap alone at its best end: the largest and the smallest accumulator.
    std::int64_t high = dense.channels.bias[0], low = high;
    for (const std::int32_t code : dense.weights.codes) {
      const std::int32_t d = (code - dense.weights.zero_points[0]) *
                             (dense.channels.negate.empty() ? 1 : -1) *
                             (1 << dense.channels.fraction_bits);
      const std::int32_t a = d * (input.code_min - input.zero_point),
                         b = d * (input.code_max - input.zero_point);
      high += std::max(a, b);
      low += std::min(a, b);
    }
    CHECK(accumulator_bounds(dense, input, output)[0] == std::max(std::abs(high), std::abs(low)));
  }
}

TEST_CASE("masked weights count as the zeros they are") {
  Program p = every_kind();
  Conv2d& conv = op<Conv2d>(p, 0);
  conv.weights.affine = true;
  conv.weights.zero_points = {127};
  conv.weights.codes.assign(36, 127);
  conv.channels.bias.assign(4, 7);
  CHECK(accumulator_bounds(conv, p.tensors[0], p.tensors[1]) ==
        std::vector<std::int64_t>{7, 7, 7, 7});
}

}  // namespace
}  // namespace pare::integer
