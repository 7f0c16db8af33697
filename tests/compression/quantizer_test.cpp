// Every row of the quantizer table, held to its traits; and what is particular to the uniform one.
#include "compression/quantize/quantizer.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "compression/quantize/activation_quantizer.h"
#include "compression/quantize/fake_quantize.h"
#include "compression/quantize/weight_quantizer.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "tests/compression/draws.h"

namespace pare {
namespace {

// A row of the table with keys that fit it, for one use.
struct Case {
  QuantizerConfig config;
  QuantizerPlace::Use use;
};

std::vector<Case> all_cases() {
  using Use = QuantizerPlace::Use;
  std::vector<Case> cases;
  for (const QuantizerRow& row : quantizer_table()) {
    for (const Use use : {Use::weights, Use::activations}) {
      if (!(use == Use::weights ? row.weights : row.activations)) continue;
      if (row.at_run_time) continue;  // no grid
      for (int bits = row.least_bits; bits <= row.most_bits; ++bits) {
        for (const Scheme scheme : {Scheme::symmetric, Scheme::affine}) {
          if (bits == 1 && row.name == "uniform" && scheme == Scheme::symmetric) continue;
          for (const Granularity granularity :
               {Granularity::per_tensor, Granularity::per_channel}) {
            if (use == Use::activations && granularity == Granularity::per_channel) continue;
            for (const ScaleKind scale : {ScaleKind::real, ScaleKind::power_of_two}) {
              QuantizerConfig config;
              config.quantizer = row.name;
              config.bits = bits;
              config.scheme = scheme;
              config.granularity = granularity;
              config.scale = scale;
              if (row.one_grid) config.granularity = Granularity::per_tensor;
              cases.push_back({config, use});
            }
          }
        }
      }
    }
  }
  for (const CodebookInit init : {CodebookInit::density, CodebookInit::random}) {
    cases.push_back({QuantizerConfig(), Use::weights});
    cases.back().config.quantizer = "codebook";
    cases.back().config.bits = 3;
    cases.back().config.levels = 5;
    cases.back().config.init = init;
    cases.back().config.train = init == CodebookInit::density;
  }
  for (const std::string name : {"binary", "ternary"}) {
    cases.push_back({QuantizerConfig(), Use::weights});
    cases.back().config.quantizer = name;
    cases.back().config.scale = ScaleKind::one;
  }
  cases.push_back({QuantizerConfig(), Use::weights});
  cases.back().config.quantizer = "log2";
  cases.back().config.bits = 4;
  cases.back().config.base = LogBase::root;
  for (const RoundingMode mode :
       {RoundingMode::floor, RoundingMode::truncate, RoundingMode::stochastic}) {
    cases.push_back({QuantizerConfig(), Use::weights});
    cases.back().config.rounding = mode;
  }
  for (const Use use : {Use::weights, Use::activations}) {
    cases.push_back({QuantizerConfig(), use});
    cases.back().config.bits = 16;
    cases.back().config.granularity = Granularity::per_tensor;
  }
  cases.push_back({QuantizerConfig(), Use::weights});
  cases.back().config.quantizer = "codebook";
  cases.back().config.bits = 4;
  cases.back().config.level_bits = 16;
  for (const std::string& observer : observer_kinds(false)) {
    cases.push_back({QuantizerConfig(), Use::activations});
    cases.back().config.observer = observer;
    cases.back().config.granularity = Granularity::per_tensor;
  }
  return cases;
}

struct Observed {
  std::unique_ptr<Quantizer> quantizer;
  int axis;
};

Observed observed(const Case& c, const Tensor& x, int channel_axis) {
  auto quantizer = make_quantizer(c.config, c.use, "x", x.shape(), channel_axis);
  quantizer->observe(x, Pass::begin(Pass::Mode::calibrate, 1, 0));
  REQUIRE(quantizer->ready());
  const int axis = quantizer->grid().channels() == 1 ? -1 : channel_axis;
  return {std::move(quantizer), axis};
}

bool in_range(const Grid& grid, std::int16_t code) {
  if (!grid.levels.empty())
    return std::find(grid.levels.begin(), grid.levels.end(), code) != grid.levels.end();
  return code >= grid.format.qmin() && code <= grid.format.qmax();
}

void check_values(const Observed& o, const Tensor& x, const Tensor& y) {
  const Grid grid = o.quantizer->grid();
  const GridCodes codes = o.quantizer->codes(x);
  const ChannelView view = channel_view(x.shape(), o.axis);
  bool on_grid = true, all_in_range = true;
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const auto c = static_cast<std::size_t>(i / view.inner % view.channels);
    const std::int16_t code = codes[static_cast<std::size_t>(i)];
    on_grid = on_grid && y.data()[i] ==
                             to_real(code, grid.zero_points[c], grid.scales[c]) + grid.offset;
    all_in_range = all_in_range && in_range(grid, code);
  }
  CHECK(on_grid);
  CHECK(all_in_range);
}

TEST_CASE(
    "every quantizer: values on the grid, codes in range, zero stays zero, idempotent as "
    "declared") {
  const Tensor x = random_tensor({6, 3, 3, 5}, 1);
  const Pass pass = Pass::begin(Pass::Mode::evaluate, 1, 0);
  for (const Case& c : all_cases()) {
    CAPTURE(c.config.quantizer);
    CAPTURE(c.config.bits);
    CAPTURE(static_cast<int>(c.config.scheme));
    CAPTURE(static_cast<int>(c.config.rounding));
    for (const int axis : {0, 3}) {
      const Observed o = observed(c, x, axis);
      const Tensor y = o.quantizer->quantize(Variable(x), pass).value();
      check_values(o, x, y);
      if (o.quantizer->traits().has_zero) {
        const Tensor zero = o.quantizer->quantize(Variable(Tensor::zeros(x.shape())), pass).value();
        CHECK(std::all_of(zero.values().begin(), zero.values().end(),
                          [](float v) { return v == 0 && !std::signbit(v); }));
      } else {
        CHECK(std::none_of(y.values().begin(), y.values().end(), [](float v) { return v == 0; }));
      }
      if (o.quantizer->traits().idempotent) {
        const Tensor again = o.quantizer->quantize(Variable(y), pass).value();
        CHECK(std::equal(y.values().begin(), y.values().end(), again.values().begin()));
      }
    }
  }
}

// Keeps what it is shown, or puts back what it kept.
struct Memory final : StateVisitor {
  std::map<std::string, std::vector<std::uint8_t>> kept;
  std::set<std::string> lists;  // names of those whose length is kept, too
  bool loading = false;
  template <class T>
  void keep(const std::string& name, T* value, std::size_t count) {
    std::vector<std::uint8_t>& bytes = kept[name];
    if (loading) {
      REQUIRE(bytes.size() == count * sizeof(T));
      if (!bytes.empty()) std::memcpy(value, bytes.data(), bytes.size());
    } else {
      bytes.resize(count * sizeof(T));
      if (!bytes.empty()) std::memcpy(bytes.data(), value, bytes.size());
    }
  }
  void tensor(const std::string& name, Tensor& value) override {
    keep(name, value.mutable_data(), static_cast<std::size_t>(value.size()));
  }
  void bytes(const std::string& name, std::vector<std::uint8_t>& value) override {
    lists.insert(name);
    if (loading) value.resize(kept[name].size());
    keep(name, value.data(), value.size());
  }
  void integer(const std::string& name, std::int64_t& value) override { keep(name, &value, 1); }
  void real(const std::string& name, double& value) override { keep(name, &value, 1); }

  void visit(Quantizer& quantizer) {
    quantizer.visit_state("q", *this);
    quantizer.visit_parameters([&](Parameter& own) { own.visit_state(*this); });
  }
};

TEST_CASE("every quantizer: saved and loaded, the grid and the codes are the same") {
  const Tensor x = random_tensor({6, 3, 3, 5}, 2);
  for (const Case& c : all_cases()) {
    CAPTURE(c.config.quantizer);
    CAPTURE(c.config.observer);
    const Observed o = observed(c, x, 0);
    Memory memory;
    memory.visit(*o.quantizer);
    auto loaded = make_quantizer(c.config, c.use, "x", x.shape(), 0);
    memory.loading = true;
    memory.visit(*loaded);
    REQUIRE(loaded->ready());
    CHECK(loaded->grid() == o.quantizer->grid());
    CHECK(loaded->codes(x) == o.quantizer->codes(x));
  }
}

TEST_CASE(
    "every quantizer: lists of another length are refused, or found anew; nothing is read behind "
    "them") {
  const Tensor x = random_tensor({6, 3, 3, 5}, 2);
  std::int64_t refused = 0;
  for (const Case& c : all_cases()) {
    CAPTURE(c.config.quantizer);
    CAPTURE(c.config.observer);
    Memory whole;
    whole.visit(*observed(c, x, 0).quantizer);
    whole.loading = true;
    for (const auto& [name, bytes] : whole.kept) {
      if (!whole.lists.contains(name)) continue;
      for (const std::size_t size : {std::size_t{0}, bytes.size() / 2, bytes.size() + 64}) {
        Memory other = whole;
        other.kept[name].resize(size);
        auto loaded = make_quantizer(c.config, c.use, "x", x.shape(), 0);
        try {
          other.visit(*loaded);
          if (loaded->ready()) {
            loaded->grid();
            loaded->codes(x);
          }
          loaded->observe(x, Pass::begin(Pass::Mode::train, 1, 0));
        } catch (const DataError&) {
          ++refused;
        }
      }
    }
  }
  CHECK(refused > 0);
}

TEST_CASE("every quantizer: same value, gradient and own gradients for any number of threads") {
  const Tensor x = random_tensor({4, 5, 5, 300}, 3), w = random_tensor({x.size()}, 4);
  const auto bits = [&](const Case& c, int threads) {
    set_thread_count(threads);
    const Observed o = observed(c, x, 3);
    Variable leaf(x, true);
    const Variable y = o.quantizer->quantize(leaf, Pass::begin(Pass::Mode::train, 7, 3));
    std::vector<float> all(y.value().values().begin(), y.value().values().end());
    backward(weighted_sum(y, w));
    if (leaf.grad().defined())  // a codebook gives members none
      all.insert(all.end(), leaf.grad().values().begin(), leaf.grad().values().end());
    o.quantizer->visit_parameters([&](Parameter& own) {
      all.insert(all.end(), own.grad().values().begin(), own.grad().values().end());
      own.release();
    });
    return all;
  };
  for (const Case& c : all_cases()) {
    if (c.config.bits != quantizer_row(c.config.quantizer).usual_bits) continue;
    CAPTURE(c.config.quantizer);
    CHECK(bits(c, 1) == bits(c, 3));
  }
  set_thread_count(2);
}

TEST_CASE("the straight-through gradient passes where nothing is clamped, and only there") {
  const float values[] = {-10, -1.0f, -0.4f, 0.0f, 0.4f, 1.0f, 10};
  const float weights[] = {1, 2, 3, 4, 5, 6, 7};
  const Grid grid{.format = {.bits = 2}, .scales = {1.0f}, .zero_points = {0}};
  Variable x(Tensor::from({1, 7}, values), true);
  backward(weighted_sum(fake_quantize(x, grid, -1), Tensor::from({7}, weights)));
  const std::vector<float> expected = {0, 2, 3, 4, 5, 6, 0};
  CHECK(std::vector<float>(x.grad().values().begin(), x.grad().values().end()) == expected);
}

TEST_CASE(
    "few clamped values in a large tensor: each loses its gradient, whoever owns its memory") {
  const Grid grid{.format = {.bits = 8}, .scales = {0.1f}, .zero_points = {0}};
  constexpr std::int64_t kSize = 50001;  // several tiles, the last one not full
  Tensor values = random_tensor({1, kSize}, 8);
  for (const std::int64_t i : {0, 20000, 20001, 50000}) values.mutable_data()[i] = 100;
  const Tensor weights = random_tensor({1, kSize}, 9);
  for (const bool shared : {false, true}) {
    Variable x(values, true), other(values, true);
    const Variable y = fake_quantize(x, grid, -1);
    // add() gives the same gradient tensor to both: fake_quantize may not write into it.
    backward(weighted_sum(shared ? add(other, y) : y, weights));
    for (std::int64_t i = 0; i < kSize; ++i) {
      REQUIRE(x.grad().data()[i] == (values.data()[i] == 100 ? 0 : weights.data()[i]));
      if (shared) REQUIRE(other.grad().data()[i] == weights.data()[i]);
    }
  }
}

TEST_CASE("values at and next to the borders between codes get the code of the one definition") {
  for (const float scale : {0.0173f, 1.0f, 3.1e-9f}) {
    const Grid grid{
        .format = {.bits = 8, .scheme = Scheme::affine}, .scales = {scale}, .zero_points = {-3}};
    std::vector<float> values;
    for (int code = -200; code < 200; ++code) {
      auto x = static_cast<float>((code + 0.5) * static_cast<double>(scale));
      for (int step = 0; step < 4; ++step) x = std::nextafter(x, -1.0f);
      for (int step = 0; step < 9; ++step, x = std::nextafter(x, 1.0f)) values.push_back(x);
    }
    const auto n = static_cast<std::int64_t>(values.size());
    const Tensor x = Tensor::from({n}, values);
    const Tensor y = fake_quantize(Variable(x), grid, -1).value();
    const GridCodes codes = codes_of(x, grid, -1);
    for (std::int64_t i = 0; i < n; ++i) {
      REQUIRE(y.data()[i] == to_real(codes[static_cast<std::size_t>(i)], -3, scale));
    }
  }
}

TEST_CASE("a value that is read twice gets the sum of both gradients") {
  const float values[] = {0.3f, -0.6f};
  const float weights[] = {1, 2};
  const Grid grid{.format = {.bits = 8}, .scales = {0.01f}, .zero_points = {0}};
  Variable x(Tensor::from({1, 2}, values), true);
  const Variable y = fake_quantize(x, grid, -1);
  backward(weighted_sum(add(fake_quantize(x, grid, -1), y), Tensor::from({2}, weights)));
  CHECK(x.grad().data()[0] == 2);
  CHECK(x.grad().data()[1] == 4);
}

TEST_CASE("a NaN stays a NaN") {
  const float nan = std::nanf("");
  const Grid grid{.format = {.bits = 8}, .scales = {0.01f}, .zero_points = {0}};
  for (std::int64_t position = 0; position < 33; ++position) {
    Tensor x = Tensor::zeros({33});
    x.mutable_data()[position] = nan;
    const Tensor y = fake_quantize(Variable(x), grid, -1).value();
    CHECK(std::isnan(y.data()[position]));
  }
}

TEST_CASE("fake quantization gives the same bits for any number of threads") {
  const Tensor x = random_tensor({200003}, 9);
  const Grid grid{.format = {.bits = 5}, .scales = {0.11f}, .zero_points = {0}};
  const Tensor one = (set_thread_count(1), fake_quantize(Variable(x), grid, -1).value());
  for (const int threads : {2, 3, 7}) {
    set_thread_count(threads);
    const Tensor other = fake_quantize(Variable(x), grid, -1).value();
    CHECK(std::equal(one.values().begin(), one.values().end(), other.values().begin()));
  }
  set_thread_count(2);
}

TEST_CASE("an activation quantizer observes in training and calibration and never in evaluation") {
  ActivationQuantizer node{ActivationQuantizerConfig()};
  node.build(std::array{Shape{1, 4}});
  const Variable small[] = {Variable(Tensor::full({1, 4}, 1.0f))};
  const Variable large[] = {Variable(Tensor::full({1, 4}, 100.0f))};
  node.forward(small, Pass::begin(Pass::Mode::train, 1, 0));
  const Grid before = node.quantizer().grid();
  node.forward(large, Pass::begin(Pass::Mode::evaluate, 1, 0));
  CHECK(node.quantizer().grid() == before);
  const Variable real = node.forward(large, Pass::begin(Pass::Mode::calibrate, 1, 0));
  CHECK(real.value().data()[0] == 100.0f);  // calibration passes real values on
  CHECK_FALSE(node.quantizer().grid() == before);
  node.freeze_observer(true);
  const Grid frozen = node.quantizer().grid();
  node.forward(large, Pass::begin(Pass::Mode::train, 1, 1));
  CHECK(node.quantizer().grid() == frozen);
}

TEST_CASE("the average behind a pool is the rounded average of codes, as the engine computes it") {
  ActivationQuantizer source{ActivationQuantizerConfig()};
  source.build(std::array{Shape{1, 2, 2, 1}});
  const float values[] = {0, 1, 2, 3, 4, 5, 255, 250};
  const Variable x[] = {Variable(Tensor::from({2, 2, 2, 1}, values))};
  source.forward(x, Pass::begin(Pass::Mode::train, 1, 0));
  const Grid grid = source.quantizer().grid();
  REQUIRE(grid.scales[0] == 1.0f);  // codes are the values minus 128
  const Variable quantized = source.forward(x, Pass::begin(Pass::Mode::evaluate, 1, 0));
  const Window window{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};
  AverageCodes average;
  average.connect(source, taps_inside(window, 2, 2));
  const Variable pooled[] = {average_pool2d(quantized, window)};
  const Tensor y = average.forward(pooled, Pass::begin(Pass::Mode::evaluate, 1, 0)).value();
  CHECK(y.data()[0] == 1.0f);    // (-128-127-126-125) / 4 = -126.5, away from zero: -127
  CHECK(y.data()[1] == 129.0f);  // (-124-123+127+122) / 4 = 0.5, away from zero: 1
  // Where the input is not quantized, though its grid is known, there are no codes.
  source.switch_on(false);
  const Tensor real = average.forward(pooled, Pass::begin(Pass::Mode::evaluate, 1, 0)).value();
  CHECK(real.data()[0] == 1.5f);
  CHECK(real.data()[1] == 128.5f);
}

TEST_CASE("taps inside an image are counted at its borders") {
  const Window window{.kernel_h = 3,
                      .kernel_w = 3,
                      .stride_h = 2,
                      .stride_w = 2,
                      .pad_top = 1,
                      .pad_left = 1,
                      .pad_bottom = 1,
                      .pad_right = 1};
  CHECK(taps_inside(window, 5, 5) == std::vector<std::int32_t>{4, 6, 4, 6, 9, 6, 4, 6, 4});
}

}  // namespace
}  // namespace pare
