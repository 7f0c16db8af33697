#include "layers/batch_norm.h"

#include <cmath>

#include "layers/network.h"
#include "tests/layers/helpers.h"

namespace pare {
namespace {

using namespace testing;

struct Fixture {
  Network network{Shape{2}};
  BatchNorm* layer = nullptr;

  explicit Fixture(BatchNormOptions options = {.momentum = 0.75, .epsilon = 0.25}) {
    auto module = std::make_unique<BatchNorm>(options);
    layer = module.get();
    network.add("bn", {"input"}, std::move(module));
    network.initialize(1);
  }

  // Channel 0: 1, 3 (mean 2, biased variance 1). Channel 1: 4, 4 (mean 4, variance 0).
  Tensor forward(const Pass& pass) {
    return network.forward(Variable(tensor({2, 2}, {1, 4, 3, 4})), pass).value();
  }
};

TEST_CASE("training normalises with the batch's biased variance") {
  Fixture f;
  set(f.layer->scale(), {2, 1});
  set(f.layer->shift(), {10, -1});
  const double unit = 1 / std::sqrt(1.25);
  check_close(f.forward(training()), {10 - 2 * unit, -1, 10 + 2 * unit, -1});
}

TEST_CASE("running statistics keep `momentum` of the past and take the rest of the batch") {
  Fixture f;
  f.forward(training());
  check_close(f.layer->mean(), {0.25 * 2, 0.25 * 4});
  check_close(f.layer->variance(), {0.75 + 0.25 * 1, 0.75});
  f.forward(training(1));
  check_close(f.layer->mean(), {0.75 * 0.5 + 0.5, 0.75 * 1 + 1});
  check_close(f.layer->variance(), {1, 0.75 * 0.75});
}

TEST_CASE("evaluation and calibration use the running statistics and leave them alone") {
  Fixture f;
  f.forward(training());
  const double a = 1 / std::sqrt(1.25), b = 1 / std::sqrt(1.0);
  const std::initializer_list<double> expected = {0.5 * a, 3 * b, 2.5 * a, 3 * b};
  check_close(f.forward(evaluating()), expected);
  check_close(f.forward(Pass::begin(Pass::Mode::calibrate, 1, 0)), expected);
  check_close(f.layer->mean(), {0.5, 1});
}

TEST_CASE("frozen statistics serve training too and do not move") {
  Fixture f;
  f.forward(training());
  const Tensor evaluated = f.forward(evaluating());
  f.layer->freeze_statistics(true);
  CHECK(f.layer->statistics_frozen());
  const Tensor trained = f.forward(training(1));
  CHECK(std::equal(trained.values().begin(), trained.values().end(), evaluated.values().begin()));
  f.network.release();
  check_close(f.layer->mean(), {0.5, 1});
  f.layer->freeze_statistics(false);
  f.forward(training(2));
  check_close(f.layer->mean(), {0.875, 1.75});
}

TEST_CASE("statistics are part of the state, scale and shift do not decay") {
  struct Names final : StateVisitor {
    std::vector<std::string> all;
    void tensor(const std::string& name, Tensor&) override { all.push_back(name); }
    void bytes(const std::string&, std::vector<std::uint8_t>&) override {}
    void integer(const std::string&, std::int64_t&) override {}
    void real(const std::string&, double&) override {}
  };
  Fixture f;
  Names names;
  f.network.visit_state(names);
  CHECK(names.all == std::vector<std::string>{"bn.scale", "bn.shift", "bn.mean", "bn.variance"});
  for (const Parameter* parameter : f.network.parameters()) CHECK_FALSE(parameter->decays());
}

}  // namespace
}  // namespace pare
