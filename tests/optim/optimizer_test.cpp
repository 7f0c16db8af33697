// Rules against PyTorch: the golden numbers below are torch.optim's (1.13, double precision) for
// the parameters, gradients and options of each case; clipping is torch.nn.utils.clip_grad_norm_.
#include "optim/optimizer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <map>

#include "framework/base/error.h"
#include "framework/random.h"
#include "optim/adam.h"
#include "optim/rmsprop.h"
#include "optim/sgd.h"
#include "tests/threads.h"

namespace pare {
namespace {

// Runs a graph whose gradient with respect to the parameter's value is `gradient`.
void send_gradient(Parameter& parameter, const std::vector<float>& gradient) {
  const Tensor g = Tensor::from(parameter.shape(), gradient);
  const Variable value = parameter.value(Pass::begin(Pass::Mode::train, 1, 0));
  backward(record("given", Tensor::full({1}, 0), {value},
                  [g](const Tensor&, Gradients& gradients) { gradients.give(0, g); }));
}

struct Fixture {
  Parameter weight{"w", Shape{4}, 0, true};
  Parameter bias{"b", Shape{1}, 0, false};

  Fixture() {
    const float initial[] = {0.5f, -1.5f, 2.0f, -0.25f};
    std::copy_n(initial, 4, weight.latent().mutable_data());
    bias.latent().mutable_data()[0] = 1;
  }

  std::vector<Parameter*> parameters() { return {&weight, &bias}; }

  void step(Optimizer& optimizer, int t) {
    std::vector<float> g;
    for (int k = 0; k < 4; ++k) g.push_back(static_cast<float>((7 * t + 3 * k) % 11 - 5) / 4);
    send_gradient(weight, g);
    send_gradient(bias, {static_cast<float>((5 * t) % 7 - 3) / 4});
    optimizer.step(0.1);
  }

  void check(std::initializer_list<double> expected) const {
    std::vector<double> actual(weight.latent().values().begin(), weight.latent().values().end());
    actual.push_back(static_cast<double>(bias.latent().item()));
    std::size_t i = 0;
    for (const double value : expected) {
      INFO("element ", i);
      CHECK(actual[i++] == doctest::Approx(value).epsilon(2e-6));
    }
  }

  void check_five_steps(Optimizer& optimizer, std::initializer_list<double> expected) {
    for (int t = 0; t < 5; ++t) step(optimizer, t);
    check(expected);
  }
};

const Regularization kDecay{.weight_decay = 0.1, .clip_norm = std::nullopt};

TEST_CASE("sgd is PyTorch's, plain, with decay, momentum and nesterov") {
  Fixture plain, decayed, momentum, nesterov;
  Sgd a(plain.parameters(), {}, {});
  plain.check_five_steps(a, {0.475, -1.625, 2.05, -0.3, 1});
  Sgd b(decayed.parameters(), {}, kDecay);
  decayed.check_five_steps(b, {0.447309576, -1.54999515, 1.95272762, -0.285047113, 1});
  Sgd c(momentum.parameters(), {.momentum = 0.9}, kDecay);
  momentum.check_five_steps(c, {0.631362114, -1.55490074, 1.72912252, -0.459971347, 1.1551825});
  Sgd d(nesterov.parameters(), {.momentum = 0.9, .nesterov = true}, kDecay);
  nesterov.check_five_steps(d, {0.553550591, -1.59970271, 1.71646788, -0.464123988, 1.13966425});
}

TEST_CASE("adam couples its decay and adamw does not, as in PyTorch") {
  Fixture plain, coupled, decoupled;
  Adam a(plain.parameters(), {}, Decay::coupled, {});
  plain.check_five_steps(a, {0.658258318, -1.52679, 1.92061807, -0.438593688, 1.15445547});
  Adam b(coupled.parameters(), {.beta1 = 0.8, .beta2 = 0.95, .epsilon = 0.01}, Decay::coupled,
         kDecay);
  coupled.check_five_steps(b, {0.606743327, -1.4686371, 1.82460488, -0.401761877, 1.13516122});
  Adam c(decoupled.parameters(), {}, Decay::decoupled, kDecay);
  decoupled.check_five_steps(c, {0.627934916, -1.4549552, 1.82581351, -0.420371181, 1.15445547});
}

TEST_CASE("rmsprop is PyTorch's") {
  Fixture f;
  Rmsprop optimizer(f.parameters(), {}, kDecay);
  f.check_five_steps(optimizer, {0.446151185, -1.40093608, 1.46232944, -0.60671358, 1.33922203});
}

TEST_CASE("clip_norm limits the norm over all parameters together") {
  Fixture f;
  Sgd optimizer(f.parameters(), {}, {.clip_norm = 1.0});
  f.check_five_steps(optimizer, {0.481256774, -1.58386345, 2.02804683, -0.266686032, 0.993014757});
  Fixture loose;
  Sgd unlimited(loose.parameters(), {}, {.clip_norm = 100.0});
  loose.check_five_steps(unlimited, {0.475, -1.625, 2.05, -0.3, 1});
}

TEST_CASE("l1 adds the sign of what decays, and nothing at zero") {
  Fixture f;
  f.weight.latent().mutable_data()[3] = 0;
  Sgd optimizer(f.parameters(), {}, {.l1 = 0.5, .clip_norm = std::nullopt});
  send_gradient(f.weight, {0, 0, 0, 0});
  send_gradient(f.bias, {0});
  optimizer.step(0.1);
  f.check({0.45, -1.45, 1.95, 0, 1});
}

TEST_CASE("decay_all reaches biases, and a parameter's own decay wins over everything") {
  Fixture f;
  f.weight.own_weight_decay = 0.0;
  Sgd optimizer(f.parameters(), {},
                {.weight_decay = 1, .decay_all = true, .l1 = 1, .clip_norm = std::nullopt});
  send_gradient(f.weight, {0, 0, 0, 0});
  send_gradient(f.bias, {0});
  optimizer.step(0.1);
  f.check({0.5, -1.5, 2.0, -0.25, 1 - 0.1 * (1 + 1)});
}

TEST_CASE("a learning rate factor scales a parameter's steps") {
  Fixture f;
  f.bias.learning_rate_factor = 0.5;
  Sgd optimizer(f.parameters(), {}, {});
  send_gradient(f.bias, {2});
  optimizer.step(0.1);
  f.check({0.5, -1.5, 2.0, -0.25, 1 - 0.1 * 0.5 * 2});
}

TEST_CASE("frozen parameters and those without a gradient stay, moments included") {
  Fixture f;
  Adam optimizer(f.parameters(), {}, Decay::decoupled, kDecay);
  f.weight.set_frozen(true);
  f.step(optimizer, 0);
  CHECK(f.weight.latent().values()[0] == 0.5f);
  optimizer.visit_moments(f.weight, [](Tensor& moment) { CHECK(moment.values()[0] == 0.0f); });
  const float bias = f.bias.latent().item();
  CHECK(bias != 1.0f);
  optimizer.step(0.1);  // nobody computed gradients
  CHECK(f.bias.latent().item() == bias);
}

TEST_CASE("a step leaves the latent value to its owner alone and drops the gradient") {
  Fixture f;
  Sgd optimizer(f.parameters(), {}, {});
  f.step(optimizer, 0);
  CHECK(f.weight.latent().unique());
  CHECK_FALSE(f.weight.grad().defined());
}

struct Copy final : StateVisitor {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::int64_t> integers;
  bool load = false;

  void tensor(const std::string& name, Tensor& value) override {
    if (!load) {
      tensors[name] = value.clone();
    } else {
      std::copy_n(tensors.at(name).data(), value.size(), value.mutable_data());
    }
  }
  void bytes(const std::string&, std::vector<std::uint8_t>&) override {}
  void integer(const std::string& name, std::int64_t& value) override {
    if (load)
      value = integers.at(name);
    else
      integers[name] = value;
  }
  void real(const std::string&, double&) override {}
};

TEST_CASE("an optimizer restored from its state goes on as if it had never stopped") {
  Fixture whole, first;
  Adam through(whole.parameters(), {}, Decay::coupled, {});
  for (int t = 0; t < 5; ++t) whole.step(through, t);

  Adam before(first.parameters(), {}, Decay::coupled, {});
  for (int t = 0; t < 3; ++t) first.step(before, t);
  Copy state;
  before.visit_state(state);
  CHECK(state.tensors.count("optimizer/w/first") == 1);
  CHECK(state.tensors.count("optimizer/b/second") == 1);
  CHECK(state.integers.at("optimizer/step") == 3);

  Adam after(first.parameters(), {}, Decay::coupled, {});
  state.load = true;
  after.visit_state(state);
  for (int t = 3; t < 5; ++t) first.step(after, t);
  CHECK(std::memcmp(first.weight.latent().data(), whole.weight.latent().data(), 16) == 0);
  CHECK(first.bias.latent().item() == whole.bias.latent().item());
}

TEST_CASE("moments can be reached by parameter and are named in the state") {
  Fixture f;
  Sgd with(f.parameters(), {.momentum = 0.9}, {}), without(f.parameters(), {}, {});
  int moments = 0;
  const auto count = [&](Tensor& moment) {
    CHECK(moment.shape() == Shape{1});
    ++moments;
  };
  with.visit_moments(f.bias, count);
  without.visit_moments(f.bias, count);
  CHECK(moments == 1);
  Copy state;
  with.visit_state(state);
  CHECK(state.tensors.count("optimizer/w/momentum") == 1);
  Parameter other{"x", Shape{1}, 0, false};
  CHECK_THROWS_AS(with.visit_moments(other, count), std::logic_error);
}

using Optimized = std::unique_ptr<Optimizer>;
using MakeOptimizer = Optimized (*)(const std::vector<Parameter*>& parameters);

const Regularization kEverything{
    .weight_decay = 0.01, .l1 = 0.001, .group_lasso = 0.1, .clip_norm = 0.5};

// More channels than threads, each of them more than one tile, and a rest.
std::vector<float> large_run(MakeOptimizer make, int threads) {
  const Shape shape{5, kUpdateTile + 3};
  const test::Threads guard(threads);
  Parameter weight{"w", shape, 0, true};
  Random random(1, Stream::test);
  for (std::int64_t k = 0; k < shape.size(); ++k)
    weight.latent().mutable_data()[k] = random.uniform(-1, 1);
  const Optimized optimizer = make({&weight});
  for (int t = 0; t < 3; ++t) {
    std::vector<float> gradient(static_cast<std::size_t>(shape.size()));
    for (float& g : gradient) g = random.uniform(-1, 1);
    send_gradient(weight, gradient);
    optimizer->step(0.01);
  }
  return {weight.latent().values().begin(), weight.latent().values().end()};
}

TEST_CASE("the number of threads does not change a bit") {
  const std::pair<const char*, MakeOptimizer> optimizers[] = {
      {"adam",
       [](const auto& p) -> Optimized {
         return std::make_unique<Adam>(p, AdamOptions{}, Decay::coupled, kEverything);
       }},
      {"adam with clipping alone",
       [](const auto& p) -> Optimized {
         return std::make_unique<Adam>(p, AdamOptions{}, Decay::decoupled,
                                       Regularization{.weight_decay = 0.01, .clip_norm = 0.5});
       }},
      {"sgd",
       [](const auto& p) -> Optimized {
         return std::make_unique<Sgd>(p, SgdOptions{},
                                      Regularization{.group_lasso = 0.1, .clip_norm = {}});
       }},
      {"sgd with momentum",
       [](const auto& p) -> Optimized {
         return std::make_unique<Sgd>(p, SgdOptions{.momentum = 0.9, .nesterov = true},
                                      kEverything);
       }},
      {"rmsprop", [](const auto& p) -> Optimized {
         return std::make_unique<Rmsprop>(p, RmspropOptions{}, kEverything);
       }}};
  for (const auto& [name, make] : optimizers) {
    INFO(std::string(name));
    const std::vector<float> one = large_run(make, 1);
    CHECK(large_run(make, 2) == one);
    CHECK(large_run(make, 3) == one);
  }
}

TEST_CASE("group lasso pulls every output channel towards zero with the same force") {
  Parameter weight("w", Shape{2, 3}, 0, true), depthwise("d", Shape{1, 3, 1, 2}, 3, true);
  const std::vector<float> values = {3, 0, 4, 0, 0, 0};
  const std::vector<float> columns = {3, 0, 0, 0, 4, 0};  // channel 0: 3, 0, 4; channel 1: 0
  std::copy(values.begin(), values.end(), weight.latent().mutable_data());
  std::copy(columns.begin(), columns.end(), depthwise.latent().mutable_data());
  Sgd sgd({&weight, &depthwise}, {}, {.group_lasso = 0.5, .clip_norm = std::nullopt});
  send_gradient(weight, {0, 1, 0, 0, 0, 0});
  send_gradient(depthwise, {0, 0, 0, 0, 0, 0});
  sgd.step(0.1);
  // 3 - 0.1 * 0.5 * 3 / 5, 0 - 0.1 * 1, 4 - 0.1 * 0.5 * 4 / 5; a channel of zeros stays
  const std::vector<float> expected = {2.97f, -0.1f, 3.96f, 0, 0, 0};
  const std::vector<float> expected_columns = {2.97f, 0, 0, 0, 3.96f, 0};
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(weight.latent().data()[i] == doctest::Approx(expected[i]));
    CHECK(depthwise.latent().data()[i] == doctest::Approx(expected_columns[i]));
  }
}

}  // namespace
}  // namespace pare
