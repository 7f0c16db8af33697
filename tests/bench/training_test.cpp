// What `bench train` counts of the networks that it trains.
#include <doctest/doctest.h>

#include "apps/lib/bench_training.h"

namespace pare::bench {

TEST_CASE("a step's operations are those of three products per layer, two in the first") {
  const double dense = 784 * 300 + 300 * 100 + 100 * 10;
  CHECK(Training("N1", 8, false).flops() == 8 * 2 * (3 * dense - 784 * 300));
  const double conv1 = 26 * 26 * 9 * 32, rest = 5408 * 128 + 128 * 10;
  CHECK(Training("N2", 4, true).flops() == 4 * 2 * (2 * conv1 + 3 * rest));
}

TEST_CASE("a wider network has more of every hidden layer, and trains") {
  const double dense = 784 * 600 + 600 * 200 + 200 * 10;
  Training wide("N1", 8, false, 2);
  CHECK(wide.flops() == 8 * 2 * (3 * dense - 784 * 600));
  wide.step();
  for (const char* net : {"N2", "N3", "N4", "N5"}) {
    CAPTURE(net);
    Training training(net, 2, false, 2);
    CHECK(training.flops() > 2 * Training(net, 2, false).flops());
    training.step();
  }
}

}  // namespace pare::bench
