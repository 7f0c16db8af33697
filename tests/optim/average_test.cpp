#include "optim/average.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "framework/parameter.h"
#include "framework/random.h"
#include "optim/optimizer.h"
#include "tests/threads.h"

using namespace pare;

namespace {

// Two parameters, one of them of several tiles and a rest, and the averages of both.
struct Averages {
  Parameter weight{"w", Shape{3 * kUpdateTile + 7}, 0, true};
  Parameter bias{"b", Shape{5}, 0, false};
  WeightAverage average{0.9, [this](StateVisitor& v) {
                          weight.visit_state(v);
                          bias.visit_state(v);
                        }};

  // The values of the averages after some updates, on so many threads.
  std::vector<float> after_updates(int threads) {
    const test::Threads guard(threads);
    Random random(4, Stream::test);
    for (int t = 0; t < 4; ++t) {
      for (Parameter* p : {&weight, &bias}) {
        for (std::int64_t k = 0; k < p->shape().size(); ++k)
          p->latent().mutable_data()[k] = random.uniform(-1, 1);
      }
      average.update();
    }
    average.swap();
    std::vector<float> values(weight.latent().values().begin(), weight.latent().values().end());
    values.insert(values.end(), bias.latent().values().begin(), bias.latent().values().end());
    average.swap();
    return values;
  }
};

}  // namespace

TEST_CASE("the average forgets its start by (1 + t) / (10 + t) until the decay is reached") {
  Parameter w("w", Shape{1}, 0, true);
  w.latent().mutable_data()[0] = 8;
  WeightAverage average(0.25, [&](StateVisitor& v) { w.visit_state(v); });
  double expected = 8;
  for (const double decay : {2.0 / 11, 3.0 / 12, 0.25, 0.25}) {
    w.latent().mutable_data()[0] += 1;
    expected = decay * expected + (1 - decay) * static_cast<double>(w.latent().item());
    average.update();
  }
  average.swap();
  CHECK(w.latent().item() == doctest::Approx(expected));
  average.swap();
  CHECK(w.latent().item() == 12);
}

TEST_CASE("averages are the same bits for every number of threads") {
  const std::vector<float> one = Averages().after_updates(1);
  CHECK(Averages().after_updates(2) == one);
  CHECK(Averages().after_updates(3) == one);
}

TEST_CASE("every element of every tensor is averaged with its own") {
  const std::vector<float> values = Averages().after_updates(2);
  Random random(4, Stream::test);
  std::vector<float> expected(values.size(), 0.0f);
  for (int t = 1; t <= 4; ++t) {
    const double decay = std::min(0.9, (1.0 + t) / (10.0 + t));
    const auto keep = static_cast<float>(decay), take = static_cast<float>(1 - decay);
    for (float& e : expected) e = keep * e + take * random.uniform(-1, 1);
  }
  for (std::size_t i = 0; i < values.size(); ++i)
    REQUIRE(values[i] == doctest::Approx(expected[i]).epsilon(1e-5));
}
