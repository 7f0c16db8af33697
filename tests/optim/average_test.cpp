#include "optim/average.h"

#include <doctest/doctest.h>

#include "framework/parameter.h"

using namespace pare;

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
