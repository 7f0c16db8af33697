#include "apps/bench/networks.h"

#include <bit>
#include <utility>

#include "framework/base/error.h"
#include "framework/base/text.h"

namespace pare::bench {
namespace {

using namespace integer;

constexpr std::uint32_t kScale = 0x3C000000;  // 1/128, of every tensor; no operation reads it

// sqrt(1/2) * 2^-shift as a multiplier, and as the scale of the weights that it comes from where
// input and output have the same: peers read scales.
struct Requantization {
  std::int32_t shift;
  Multiplier multiplier() const { return {1518500224, -shift}; }
  std::uint32_t scale_bits() const {
    return 0x3F3504F3u - (static_cast<std::uint32_t>(shift) << 23);
  }
};

// The smallest shift with which sums of `taps` products of random codes mostly end inside int8:
// such a sum has a deviation of about 2^13 * sqrt(taps).
Requantization typical_requantization(std::int64_t taps) {
  const int bits = std::bit_width(static_cast<std::uint64_t>(taps)) / 2;
  return {7 + bits};
}

class Builder {
 public:
  Builder(std::string name, std::int32_t side, std::int32_t channels) {
    program_.name = std::move(name);
    program_.tensors.push_back({"input", side, side, channels, -128, -128, 127, kScale});
    program_.pixel_codes.resize(static_cast<std::size_t>(channels));
    for (auto& table : program_.pixel_codes) {
      for (int pixel = 0; pixel < 256; ++pixel)
        table[pixel] = static_cast<std::int8_t>(pixel - 128);
    }
  }

  // Each adds a layer behind tensor `input` and returns the tensor it writes.
  std::int32_t conv(std::int32_t input, std::int32_t filters, std::int32_t kernel,
                    std::int32_t stride, std::int32_t pad, bool relu) {
    const Tensor in = program_.tensors[input];
    const auto side = [&](std::int32_t size) { return (size + 2 * pad - kernel) / stride + 1; };
    Conv2d op;
    op.input = input;
    op.output = tensor("conv", side(in.height), side(in.width), filters, relu);
    op.window = {kernel, kernel, stride, stride, pad, pad, pad, pad};
    fill(op.weights, op.channels, filters, std::int64_t{kernel} * kernel * in.channels);
    return finish(std::move(op));
  }
  std::int32_t dense(std::int32_t input, std::int32_t units, bool relu) {
    Dense op;
    op.input = input;
    op.output = tensor("dense", 1, 1, units, relu);
    fill(op.weights, op.channels, units, program_.tensors[input].size());
    return finish(std::move(op));
  }
  std::int32_t pool(std::int32_t input) {
    Tensor t = program_.tensors[input];
    t.name = numbered("pool");
    t.height /= 2;
    t.width /= 2;
    program_.tensors.push_back(t);
    return finish(MaxPool2d{input, last(), {2, 2, 2, 2, 0, 0, 0, 0}});
  }
  std::int32_t add(std::int32_t a, std::int32_t b) {
    const Tensor in = program_.tensors[a];
    const std::int32_t output = tensor("add", in.height, in.width, in.channels, true);
    // Scales 1 and 0.7 of the larger one; the sum's scale is twice that.
    return finish(Add{a, b, output, {1 << 30, 0}, {1503238554, -1}, {1 << 30, -18}});
  }
  std::int32_t average(std::int32_t input) {
    const Tensor in = program_.tensors[input];
    const std::int32_t output = tensor("average", 1, 1, in.channels, true);
    return finish(GlobalAverage{input, output, {1 << 30, -5}});
  }

  Program take(std::int32_t output) {
    program_.output = output;
    return std::move(program_);
  }

 private:
  std::string numbered(const char* name) const {
    return name + std::to_string(program_.tensors.size());
  }

  std::int32_t last() const { return static_cast<std::int32_t>(program_.tensors.size()) - 1; }

  std::int32_t tensor(const char* name, std::int32_t height, std::int32_t width,
                      std::int32_t channels, bool relu) {
    program_.tensors.push_back(
        {numbered(name), height, width, channels, relu ? -128 : 0, -128, 127, kScale});
    return last();
  }

  template <class Op>
  std::int32_t finish(Op op) {
    const std::int32_t output = op.output;
    program_.operations.emplace_back(std::move(op));
    return output;
  }

  // Raw bits of a linear congruential generator (Knuth's MMIX): enough for timing.
  std::int32_t draw(std::int32_t low, std::int32_t high) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return low +
           static_cast<std::int32_t>((state_ >> 33) % static_cast<std::uint64_t>(high - low + 1));
  }

  void fill(Weights& weights, Channels& channels, std::int64_t outputs, std::int64_t taps) {
    for (std::int64_t i = 0; i < outputs * taps; ++i) {
      weights.codes.push_back(static_cast<std::int8_t>(draw(-127, 127)));
    }
    const Requantization typical = typical_requantization(taps);
    for (std::int64_t c = 0; c < outputs; ++c) {
      weights.scale_bits.push_back(typical.scale_bits());
      channels.bias.push_back(draw(-5000, 5000));
      channels.multipliers.push_back(typical.multiplier());
    }
  }

  Program program_;
  std::uint64_t state_ = 1;
};

Program lenet_300_100(std::int32_t share) {
  Builder b("N1", 28, 1);
  return b.take(b.dense(b.dense(b.dense(0, 300 / share, true), 100 / share, true), 10, false));
}

Program document_cnn(std::int32_t share) {
  Builder b("N2", 28, 1);
  const std::int32_t pooled = b.pool(b.conv(0, 32 / share, 3, 1, 0, true));
  return b.take(b.dense(b.dense(pooled, 128 / share, true), 10, false));
}

Program lenet_5(std::int32_t share) {
  Builder b("N3", 28, 1);
  const std::int32_t first = b.pool(b.conv(0, 20 / share, 5, 1, 0, false));
  const std::int32_t second = b.pool(b.conv(first, 50 / share, 5, 1, 0, false));
  return b.take(b.dense(b.dense(second, 500 / share, true), 10, false));
}

Program cifar_cnn(std::int32_t share) {
  Builder b("N4", 32, 3);
  const std::int32_t first = b.pool(b.conv(0, 16 / share, 3, 1, 1, true));
  const std::int32_t second = b.pool(b.conv(first, 32 / share, 3, 1, 1, true));
  return b.take(b.dense(b.dense(second, 1024 / share, true), 10, false));
}

Program resnet_20(std::int32_t share) {
  Builder b("N5", 32, 3);
  std::int32_t x = b.conv(0, 16 / share, 3, 1, 1, true);
  for (const std::int32_t width : {16, 32, 64}) {
    const std::int32_t filters = width / share;
    for (int block = 0; block < 3; ++block) {
      const std::int32_t stride = width > 16 && block == 0 ? 2 : 1;
      const std::int32_t inner = b.conv(x, filters, 3, stride, 1, true);
      const std::int32_t outer = b.conv(inner, filters, 3, 1, 1, false);
      x = b.add(outer, stride == 1 ? x : b.conv(x, filters, 1, stride, 0, false));
    }
  }
  return b.take(b.dense(b.average(x), 10, false));
}

}  // namespace

const std::vector<std::string>& network_names() {
  static const std::vector<std::string> names{"N1", "N2", "N3", "N4", "N5"};
  return names;
}

Program network(const std::string& name, std::int32_t share) {
  constexpr Program (*kMake[])(std::int32_t) = {lenet_300_100, document_cnn, lenet_5, cifar_cnn,
                                                resnet_20};
  const std::vector<std::string>& names = network_names();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return kMake[i](share);
  }
  throw ConfigError("--net " + name + suggestion(name, names) + ": expected " + join(names, ", "));
}

std::vector<std::int8_t> some_codes(std::int64_t count) {
  std::vector<std::int8_t> codes(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < codes.size(); ++i)
    codes[i] = static_cast<std::int8_t>(i * 37 + i / 11);
  return codes;
}

}  // namespace pare::bench
