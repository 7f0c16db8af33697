#include <doctest/doctest.h>

#include "apps/lib/example/formulas.h"
#include "apps/lib/example/network.h"
#include "apps/lib/example/print.h"
#include "tests/apps/tiny_run.h"

using namespace pare;
using namespace pare::example;

namespace {

using Codes = std::vector<std::int32_t>;

Codes codes_of(int tensor) { return min_max_codes(tensors()[tensor].tenths)->codes; }

void check_near(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-9));
  }
}

}  // namespace

// By hand: 0.2 lies at a quarter of 0.1 .. 0.5, 255 / 4 - 128 = -64.25; 0.3 at half, -0.5, a tie
// that C's round() takes away from zero.
TEST_CASE("the document's formula gives other codes than the document") {
  CHECK((codes_of(0) == Codes{-64, 127, -1, -128}));
  CHECK((codes_of(1) == Codes{-128, 127}));
  CHECK((codes_of(2) == Codes{-128, 127}));
  CHECK_FALSE(min_max_codes(tensors()[3].tenths).has_value());
  for (int t = 0; t < 3; ++t) CHECK((codes_of(t) != tensors()[t].printed));
}

TEST_CASE("the document's threshold of 0.1 prunes nothing") {
  CHECK((prune(tensors()[0].tenths, 1) == tensors()[0].tenths));
}

TEST_CASE("only pruning first keeps a zero with min-max codes") {
  const auto& w1 = tensors()[0].tenths;
  check_near(prune_then_quantize(w1, 2.5), {0, 5, 153 * 5.0 / 255, 0});
  // Code 0 is 128 steps of 4/255 above the minimum.
  check_near(both_at_once(w1, 2.5),
             {1 + 128 * 4.0 / 255, 5, 1 + 127 * 4.0 / 255, 1 + 128 * 4.0 / 255});
  // |-1| < 2.5 is the largest weight but one.
  check_near(quantize_then_prune(w1, 2.5), {1 + 64 * 4.0 / 255, 5, 1 + 128 * 4.0 / 255, 1});
}

TEST_CASE("with symmetric grids both compositions give the same codes: the largest weight stays") {
  CHECK((first_layer_codes(Composition::mask_then_quantize) == Codes{0, 127, 76, 0}));
  CHECK((first_layer_codes(Composition::quantize_then_mask) == Codes{0, 127, 76, 0}));
}

// h = relu(0.2 + 0.3 + 0.1, 0.5 + 0.1 + 0.2) = (0.6, 0.8); 0.4 * 0.6 + 0.6 * 0.8 + 0.5.
TEST_CASE("the 2-2-1 network answers in integers what it answers in float, to a step") {
  const Answer a = answer({1, 1});
  CHECK(a.real == doctest::Approx(1.22));
  CHECK(std::abs(a.integer() - a.real) <= a.scale);
  CHECK(a.differing == 0);
  CHECK(contains(report(), "x = (1.00, 1.00)  float 1.2200"));
}
