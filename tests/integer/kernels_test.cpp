// Every instruction set against the reference loops: 0 differing codes, whatever the shape and the
// operands. PARE_LAYERS=N draws N layers per set instead of the default.
#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <string>

#include "compression/integer/engine.h"
#include "compression/integer/kernels/elementwise.h"
#include "compression/integer/kernels/kernel_set.h"
#include "compression/integer/kernels/scaling.h"
#include "framework/base/error.h"
#include "tests/integer/compare.h"
#include "tests/integer/random_builder.h"
#include "tests/integer/random_layer.h"
#include "tests/integer/random_program.h"

namespace pare::integer {
namespace {

TEST_CASE("every instruction set gives the reference's codes on random layers") {
  int in_windows = 0;
  for (std::uint64_t seed = 1; seed <= layers(); ++seed) {
    in_windows += compare_with_reference(random_layer(seed), seed, "in windows");
  }
  if (usable_kernel_sets().front()->sparse.multiply != nullptr) CHECK(in_windows > 0);
}

TEST_CASE("3 x 3 layers give the reference's codes with shared columns") {
  if (!usable_kernel_sets().front()->packing.neighbours) return;
  int shared = 0;
  for (std::uint64_t seed = 1; seed <= layers() / 2; ++seed) {
    shared += compare_with_reference(random_filter_layer(seed), seed, "with shared columns");
  }
  CHECK(shared * 10 >= static_cast<int>(layers() / 2));
}

// A convolution over `channels`, and perhaps a pooling behind it.
Program first_layer(std::uint64_t seed, std::int32_t channels, std::int32_t kernel_h,
                    std::int32_t kernel_w) {
  Builder b(seed);
  Draw& draw = b.draw();
  const std::int32_t height = draw.between(kernel_h, 14);
  const std::int32_t width = draw.between(kernel_w, draw.chance(50) ? 14 : 40);
  Conv2d op;
  op.input = b.add_tensor(height, width, channels);
  Window& w = op.window;
  w = {kernel_h, kernel_w, draw.chance(70) ? 1 : 2, draw.chance(70) ? 1 : draw.between(2, 3)};
  w.pad_top = draw.between(0, kernel_h - 1);
  w.pad_left = draw.between(0, kernel_w - 1);
  w.pad_bottom = draw.between(0, kernel_h - 1);
  w.pad_right = draw.between(0, kernel_w - 1);
  const std::int32_t rows = (height + w.pad_top + w.pad_bottom - kernel_h) / w.stride_h + 1;
  const std::int32_t columns = (width + w.pad_left + w.pad_right - kernel_w) / w.stride_w + 1;
  const std::int32_t outputs =
      draw.chance(60) ? draw.between(1, 24) : 16 * draw.between(1, 4) + draw.between(0, 4);
  op.output = b.add_tensor(rows, columns, outputs);
  b.finish_layer(std::move(op));
  if (rows > 1 && columns > 1 && draw.chance(50)) {
    const std::int32_t pool = b.add_shared(1, rows / 2, columns / 2, outputs);
    b.program().operations.emplace_back(MaxPool2d{1, pool, {2, 2, 2, 2}});
  }
  b.program().output = static_cast<std::int32_t>(b.program().tensors.size()) - 1;
  return b.program();
}

// Several pixels fit a load, and the last channels have lanes for each of them.
TEST_CASE("images of few channels give the reference's codes with pixels in lanes") {
  int in_lanes = 0;
  for (std::uint64_t seed = 1; seed <= layers() / 5; ++seed) {
    Draw draw(seed);
    const std::int32_t kernel = draw.between(1, 4);
    const Program program = first_layer(seed, draw.between(1, 6), draw.between(1, 5), kernel);
    in_lanes += compare_with_reference(program, seed, "with pixels in lanes");
  }
  if (usable_kernel_sets().front()->packing.neighbours)
    CHECK(in_lanes * 20 >= static_cast<int>(layers() / 5));
}

// Kernel rows of 1, 5, 9 and 21 taps.
TEST_CASE("rows of one tap more than whole entries give the reference's codes with stacked rows") {
  int stacked = 0;
  for (std::uint64_t seed = 1; seed <= layers() / 5; ++seed) {
    Draw draw(seed);
    const std::int32_t channels = draw.chance(70) ? 1 : 3;
    const std::int32_t kernel = channels == 3 ? (draw.chance(50) ? 3 : 7)
                                              : (draw.chance(80) ? 5 : 1 + 8 * draw.between(0, 1));
    const Program program = first_layer(seed, channels, draw.between(4, 9), kernel);
    stacked += compare_with_reference(program, seed, "with stacked rows");
  }
  if (usable_kernel_sets().front()->packing.neighbours)
    CHECK(stacked * 3 >= static_cast<int>(layers() / 5));
}

// From the second run on the weights of a large layer are read from the other end every other time.
TEST_CASE("layers beyond the second cache give the same codes each time") {
  constexpr std::int32_t kInputs = 2000, kOutputs = 600;
  Program program;
  program.name = "large";
  program.tensors = {{"x", 1, 1, kInputs, 3, -128, 127, 0x3F800000},
                     {"y", 1, 1, kOutputs, 0, -128, 127, 0x3F800000}};
  Dense op;
  op.output = 1;
  op.weights.scale_bits = {0x3F800000};
  Draw draw(8);
  for (int i = 0; i < kInputs * kOutputs; ++i)
    op.weights.codes.push_back(static_cast<std::int8_t>(draw.between(-127, 127)));
  op.channels.bias.assign(kOutputs, 100);
  op.channels.multipliers.assign(kOutputs, {1 << 30, -11});
  program.operations = {op};
  program.output = 1;
  const std::vector<std::int8_t> codes = random_codes(program, 3, 1);
  std::vector<std::int8_t> expected(3 * kOutputs), got(expected.size());
  Engine(program, {.reference = true}).run(codes, expected);
  for (const KernelSet* set : usable_kernel_sets()) {
    const Engine engine(program, {.kernels = set->name});
    for (int time = 0; time < 3; ++time) {
      got.assign(got.size(), 99);
      engine.run(codes, got);
      INFO("kernels ", std::string(set->name), ", time ", time);
      REQUIRE(got == expected);
    }
  }
}

TEST_CASE("layers of two input codes and signs give the reference's codes on bits") {
  std::uint64_t on_bits = 0;
  for (std::uint64_t seed = 1; seed <= layers(); ++seed) {
    on_bits += compare_with_reference(random_bit_layer(seed), seed, "on bits");
  }
  CHECK(on_bits >= layers());  // the portable set has them for one
}

// Sums of products of bytes may leave int32 where the accumulators, without what the zero point
// adds, do not: then only their remainders modulo 2^32 are known, which have no order.
TEST_CASE("the largest of four sums is that of the accumulators") {
  constexpr std::int32_t kChannels = 33100;
  for (const std::int32_t outputs : {1, 16}) {  // a narrow tile; windows of a row of taps each
    Program program;
    program.name = "pooled";
    program.tensors = {{"input", 2 * outputs, 2, kChannels, 126, 126, 127},
                       {"conv", 2, 2, outputs},
                       {"pool", 1, 1, outputs}};
    for (Tensor& tensor : program.tensors) tensor.scale_bits = 0x3F800000;
    Conv2d op;
    op.output = 1;
    op.window = {outputs, 1, outputs, 1};
    op.weights.affine = true;
    op.weights.zero_points = {-128};
    op.weights.scale_bits = {0x3F800000};
    op.weights.codes.assign(std::int64_t{outputs} * outputs * kChannels, -128);
    for (std::int64_t c = 0; c < outputs; ++c)
      std::fill_n(op.weights.codes.begin() + (c * outputs + c) * kChannels, kChannels,
                  std::int8_t{127});
    op.channels.bias.assign(outputs, 0);
    op.channels.multipliers.assign(outputs, {1 << 30, -16});
    program.operations = {op, MaxPool2d{1, 2, {2, 2, 2, 2}}};
    program.output = 2;
    std::vector<std::int8_t> codes(program.tensors[0].size(), 126);
    std::fill_n(codes.begin(), kChannels, std::int8_t{127});
    std::vector<std::int8_t> expected(outputs), got(outputs);
    Engine(program, {.reference = true}).run(codes, expected);
    CHECK(expected[0] == 64);  // 255 * 33100 / 2^17
    for (const KernelSet* set : usable_kernel_sets()) {
      const Engine engine(program, {.kernels = set->name});
      engine.run(codes, got);
      INFO(engine.steps()[0]);
      CHECK(got == expected);
    }
  }
}

Weights plain_weights(std::int64_t count) {
  return {8, false, std::vector<std::int8_t>(count, 1), {}, {0x3F800000}};
}

Channels plain_channel() { return {0, {1}, {Multiplier{1 << 30, 0}}, {}}; }

// What is prepared for output pixels is limited for a program, not for a layer.
TEST_CASE("layers beyond the pixels that a program may have run on the reference loops") {
  constexpr std::int32_t kSide = 1024, kFit = 4;  // 2^22 pixels
  Program program;
  program.name = "pixels";
  program.tensors = {{"x", kSide, kSide, 1, 0, -128, 127, 0x3F800000}};
  for (std::int32_t k = 1; k <= kFit + 1; ++k) {
    program.tensors.push_back({"c" + std::to_string(k), kSide, kSide, 1, 0, -128, 127, 0x3F800000});
    program.operations.emplace_back(Conv2d{k - 1, k, {}, 1, plain_weights(1), plain_channel()});
  }
  program.tensors.push_back({"pool", kSide / 2, kSide / 2, 1, 0, -128, 127, 0x3F800000});
  program.operations.emplace_back(MaxPool2d{kFit + 1, kFit + 2, {2, 2, 2, 2}});
  program.output = kFit + 2;
  const Engine fast(program), plain(program, {.reference = true});
  CHECK(!fast.steps()[kFit - 1].ends_with("reference"));
  CHECK(fast.steps()[kFit] == "c5: conv2d, reference");
  const std::vector<std::int8_t> codes = random_codes(program, 1, 1);
  std::vector<std::int8_t> got(fast.output_size()), expected(got.size());
  fast.run(codes, got);
  plain.run(codes, expected);
  CHECK(got == expected);
}

// One channel in a panel of 16: 64 + 4 bytes for each weight, 4 of which are no waste.
TEST_CASE("what panels waste is limited for a program") {
  constexpr std::int32_t kSide = 1000;
  Program program;
  program.name = "waste";
  program.tensors = {{"x", kSide, kSide, 1, 0, -128, 127, 0x3F800000}};
  for (std::int32_t k = 1; k <= 2; ++k) {
    program.tensors.push_back({"d" + std::to_string(k), 1, 1, 1, 0, -128, 127, 0x3F800000});
    program.operations.emplace_back(
        DepthwiseConv2d{0, k, {kSide, kSide}, plain_weights(kSide * kSide), plain_channel()});
  }
  program.output = 2;
  const Engine engine(program);
  CHECK(!engine.steps()[0].ends_with("reference"));
  CHECK(engine.steps()[1] == "d2: depthwise_conv2d, reference");
}

TEST_CASE("a batch gives the codes of its images one by one, whatever the rows of a tile") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Program program = random_layer(seed);
    const std::vector<std::int8_t> codes = extreme_codes(program, 21, seed);
    for (const KernelSet* set : usable_kernel_sets()) {
      const Engine engine(program, {.kernels = set->name});
      const std::int64_t in = engine.input_size(), out = engine.output_size();
      std::vector<std::int8_t> batch(21 * out), one(out);
      engine.run(codes, batch);
      for (std::int64_t i = 0; i < 21; ++i) {
        engine.run(std::span(codes).subspan(i * in, in), one);
        INFO("seed ", seed, ", kernels ", std::string(set->name), ", image ", i);
        REQUIRE(std::equal(one.begin(), one.end(), batch.begin() + i * out));
      }
    }
  }
}

TEST_CASE("fused steps give the codes of single operations, in random programs") {
  int fused = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Program program = seed % 2 != 0 ? random_program(seed) : random_layer(seed);
    const std::vector<std::int8_t> codes = random_codes(program, 3, seed);
    for (const KernelSet* set : usable_kernel_sets()) {
      const Engine engine(program, {.kernels = set->name});
      std::vector<std::int8_t> got(3 * engine.output_size());
      engine.run(codes, got);
      INFO("seed ", seed, ", kernels ", std::string(set->name));
      REQUIRE(got == engine.run_all(codes)[program.output]);
      fused += engine.steps().size() < program.operations.size();
    }
  }
  CHECK(fused >= 8 * std::ssize(usable_kernel_sets()));
}

TEST_CASE("one product, two sums and a shift are both roundings") {
  Draw draw(1);
  for (int trial = 0; trial < 400000; ++trial) {
    const std::int32_t shift = draw.between(-31, 30);
    const int size = 31 - (shift > 0 ? shift : 0);
    const auto limit = static_cast<std::int32_t>((std::int64_t{1} << size) - 1);
    const std::int32_t acc =
        draw.chance(20) ? (draw.chance(50) ? limit : -limit) : draw.between(-limit, limit);
    const Multiplier m{draw.chance(5) ? 0 : draw.between(1 << 30, 2147483647), shift};
    for (const Rounding rounding : {Rounding::twice, Rounding::once}) {
      const Scaling s = make_scaling(m, rounding);
      REQUIRE(((acc * s.value + s.nudge - (acc < 0 ? s.correction : 0)) >> s.right) ==
              scale_accumulator(acc, m, rounding));
    }
  }
}

TEST_CASE("without its last bits an accumulator gives the same, for they are in the constants") {
  Draw draw(3);
  for (int trial = 0; trial < 400000; ++trial) {
    const std::int32_t fraction_bits = draw.between(1, 6);
    const std::int32_t shift = draw.between(-31, 30 - fraction_bits);
    const int size = 31 - std::max(shift, 0);
    const auto limit = static_cast<std::int32_t>((std::int64_t{1} << size) - 1);
    const std::int32_t acc =
        draw.chance(20) ? (draw.chance(50) ? limit : -limit) : draw.between(-limit, limit);
    const Multiplier m{draw.chance(5) ? 0 : draw.between(1 << 30, 2147483647), shift};
    const std::int32_t sum = acc >> fraction_bits, rest = acc & ((1 << fraction_bits) - 1);
    for (const Rounding rounding : {Rounding::twice, Rounding::once}) {
      const Scaling s = make_scaling(m, rounding, fraction_bits, rest);
      REQUIRE(((sum * s.value + s.nudge - (sum < 0 ? s.correction : 0)) >> s.right) ==
              scale_accumulator(acc, m, rounding));
    }
  }
}

// A layer without weights: the accumulator is the bias, and what remains is requantization.
TEST_CASE("vector requantization equals the definition for every shift") {
  Draw draw(2);
  for (int trial = 0; trial < 20000; ++trial) {
    const auto outputs = static_cast<std::int64_t>(draw.between(1, 64));
    Weights weights;
    weights.codes.assign(outputs, 0);
    Channels channels;
    // Half of them as in networks: no shift to the left, for which there are cheaper ways.
    const bool right = draw.chance(50);
    channels.fraction_bits = draw.chance(50) ? draw.between(1, 6) : 0;
    for (std::int64_t c = 0; c < outputs; ++c) {
      const std::int32_t shift = draw.between(-31, right ? -1 : 30 - channels.fraction_bits);
      // Mostly accumulators that end inside the codes, near the ends of int32 where the shift
      // allows.
      const int size =
          std::min(31 - std::max(shift, 0), draw.chance(80) ? std::max(0, 8 - shift) : 31);
      const auto limit = static_cast<std::int32_t>((std::int64_t{1} << size) - 1);
      channels.bias.push_back(draw.chance(10) ? limit : draw.between(-limit, limit));
      channels.multipliers.push_back(
          {draw.chance(5) ? 0 : draw.between(1 << 30, 2147483647), shift});
    }
    const std::int32_t zero = draw.between(-128, 127);
    const std::int32_t low = draw.chance(50) ? draw.between(zero, 127) : draw.between(-128, 0);
    const std::int32_t high = draw.between(low, 127);
    const Rounding rounding = trial % 2 != 0 ? Rounding::once : Rounding::twice;
    const std::vector<std::uint8_t> image(64, 77);
    const std::vector<std::int32_t> rows{0, 0};
    for (const KernelSet* set : usable_kernel_sets()) {
      const PackedLayer layer = pack_layer(weights, channels, {outputs, 1, false}, 0, outputs,
                                           {{0, 0, 1}}, 5, rounding, set->packing);
      std::vector<std::int8_t> codes(2 * outputs);
      set->multiply({image.data(), rows.data(), 2, {zero, low, high}, codes.data(), outputs},
                    layer);
      for (std::int64_t i = 0; i < 2 * outputs; ++i) {
        INFO("kernels ", std::string(set->name), ", channel ", i % outputs, " of ", outputs);
        REQUIRE(codes[i] == requantize(channels.bias[i % outputs],
                                       channels.multipliers[i % outputs], rounding, zero, low,
                                       high));
      }
    }
  }
}

TEST_CASE("additions are right for any multipliers, not for those of networks alone") {
  Draw draw(4);
  int in_pairs = 0;  // those that are one product of pairs where an instruction set has it
  for (int trial = 0; trial < 4000; ++trial) {
    Program program;
    program.rounding = trial % 2 != 0 ? Rounding::once : Rounding::twice;
    program.tensors.assign(3, Tensor{});
    for (Tensor& tensor : program.tensors) {
      tensor.zero_point = draw.between(-128, 127);
      tensor.code_min = draw.chance(50) ? tensor.zero_point : -128;
      tensor.code_max = draw.between(tensor.zero_point, 127);
    }
    const auto any = [&](int least, int most) {
      return Multiplier{draw.between(1 << 30, 2147483647), draw.between(least, most)};
    };
    Add op;
    op.a = 0;
    op.b = 1;
    op.output = 2;
    op.scale_a = draw.chance(40) ? Multiplier{1 << 30, 0} : any(-9, 0);
    op.scale_b = draw.chance(40) ? Multiplier{1 << 30, 0} : any(-9, 0);
    op.scale_output = draw.chance(10) ? any(0, 0) : any(-28, -12);
    if (draw.chance(10)) {  // so far to the left that other codes than these have no room
      Tensor& narrow = program.tensors[0];
      narrow.zero_point = narrow.code_min = draw.between(-128, 126);
      narrow.code_max = narrow.zero_point + 1;
      op.scale_a = any(1, 9);
    }
    const AddJob job = make_add_job(program, op);
    in_pairs += job.pairs.exact;
    std::vector<std::int8_t> a(draw.between(1, 200)), b(a.size()), got(a.size());
    const auto fill = [&](std::vector<std::int8_t>& codes, const Tensor& tensor) {
      for (std::int8_t& code : codes)
        code = static_cast<std::int8_t>(draw.between(tensor.code_min, tensor.code_max));
    };
    fill(a, program.tensors[0]);
    fill(b, program.tensors[1]);
    for (const KernelSet* set : usable_kernel_sets()) {
      const auto& first = job.swapped ? b : a;
      const auto& second = job.swapped ? a : b;
      set->add(job, std::ssize(a), first.data(), second.data(), got.data());
      for (std::size_t i = 0; i < a.size(); ++i) {
        INFO("trial ", trial, ", kernels ", std::string(set->name));
        const auto part = [&](std::int32_t code, const Tensor& tensor, Multiplier m) {
          return scale_accumulator((code - tensor.zero_point) * (1 << kAddLeftShift), m,
                                   program.rounding);
        };
        const std::int32_t sum =
            part(a[i], program.tensors[0], op.scale_a) + part(b[i], program.tensors[1], op.scale_b);
        const Tensor& out = program.tensors[2];
        REQUIRE(got[i] == requantize(sum, op.scale_output, program.rounding, out.zero_point,
                                     out.code_min, out.code_max));
      }
    }
  }
  CHECK(in_pairs > 3000);
  CHECK(in_pairs < 4000);  // the others are tested too
}

TEST_CASE("unknown kernels are an error that names the usable ones") {
  CHECK_THROWS_WITH_AS(kernel_set("mmx"), doctest::Contains("portable"), ConfigError);
  CHECK(kernel_set("portable").name == std::string("portable"));
  CHECK(&kernel_set("") == usable_kernel_sets().front());
}

}  // namespace
}  // namespace pare::integer
