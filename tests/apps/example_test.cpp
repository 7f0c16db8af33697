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

using Order = std::optional<MinMaxCodes> (*)(std::span<const double>, double);
constexpr Order kOrders[] = {prune_then_quantize, both_at_once, quantize_then_prune};

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

TEST_CASE("the document's threshold of 0.1 prunes nothing, in any order") {
  for (int t = 0; t < 3; ++t) {
    CHECK((prune(tensors()[t].tenths, 0.1) == tensors()[t].tenths));
    for (const Order order : kOrders)
      CHECK((order(tensors()[t].tenths, 0.1)->codes == codes_of(t)));
  }
  for (const Order order : kOrders) CHECK_FALSE(order(tensors()[3].tenths, 0.1).has_value());
}

TEST_CASE("what section 4.3.3 takes for the pruned W1 has other codes than it prints") {
  CHECK((min_max_codes(std::vector<double>{2, 5, 0, 0})->codes == Codes{-26, 127, -128, -128}));
  CHECK_FALSE(min_max_codes(std::vector<double>{0, 0}).has_value());
}

TEST_CASE("only pruning first keeps a zero with min-max codes") {
  const auto& w1 = tensors()[0].tenths;
  CHECK((prune_then_quantize(w1, 0.25)->codes == Codes{-128, 127, 25, -128}));
  check_near(prune_then_quantize(w1, 0.25)->reals(), {0, 5, 153 * 5.0 / 255, 0});
  // Code 0 is 128 steps of 4/255 above the minimum.
  CHECK((both_at_once(w1, 0.25)->codes == Codes{0, 127, -1, 0}));
  check_near(both_at_once(w1, 0.25)->reals(),
             {1 + 128 * 4.0 / 255, 5, 1 + 127 * 4.0 / 255, 1 + 128 * 4.0 / 255});
}

TEST_CASE("a threshold on codes prunes nothing below 1, and then the largest weight but one") {
  const auto& w1 = tensors()[0].tenths;
  CHECK((quantize_then_prune(w1, 0.25)->codes == codes_of(0)));
  CHECK((quantize_then_prune(w1, 1.5)->codes == Codes{-64, 127, 0, -128}));
}

TEST_CASE("biases below the threshold have no codes when they are pruned first, else code 0") {
  const auto& b1 = tensors()[2].tenths;
  CHECK_FALSE(prune_then_quantize(b1, 0.25).has_value());
  check_near(both_at_once(b1, 0.25)->reals(), {1 + 128 * 1.0 / 255, 1 + 128 * 1.0 / 255});
  CHECK((quantize_then_prune(b1, 0.25)->codes == codes_of(2)));
  const auto& w2 = tensors()[1].tenths;
  for (const Order order : kOrders) CHECK((order(w2, 0.25)->codes == codes_of(1)));
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
