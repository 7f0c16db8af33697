#include "apps/lib/evaluation.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "apps/lib/evaluation_report.h"
#include "apps/lib/model_data.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

namespace {

// Ten images of three classes; the integers mistake one.
Evaluation small() {
  Evaluation e;
  e.subject = "x.h5";
  e.split = "test";
  e.dataset = "digits";
  e.classes = 3;
  e.expected = {0, 0, 0, 0, 1, 1, 1, 2, 2, 2};
  e.fake_quant = e.expected;
  e.integer = e.expected;
  e.integer->at(9) = 1;
  e.float_accuracy = 0.8;
  e.latency = Latency{12, 30};
  return e;
}

}  // namespace

TEST_CASE("Wilson's interval is the published one") {
  // Brown, Cai & DasGupta 2001, and any statistics package: 8 of 10, 0 of 20, 9942 of 10000.
  CHECK(wilson(8, 10).low == doctest::Approx(0.4901625).epsilon(1e-6));
  CHECK(wilson(8, 10).high == doctest::Approx(0.9433178).epsilon(1e-6));
  CHECK(wilson(0, 20).low == 0);
  CHECK(wilson(0, 20).high == doctest::Approx(0.1611252).epsilon(1e-6));
  CHECK(wilson(20, 20).high == 1);
  CHECK(wilson(9942, 10000).low == doctest::Approx(0.992509).epsilon(1e-5));
  CHECK(wilson(9942, 10000).high == doctest::Approx(0.995511).epsilon(1e-5));
}

TEST_CASE("the JSON holds every column, class and mistake") {
  const config::Json json = to_json(small());
  CHECK(json["accuracy"]["float"]["value"] == 0.8);
  CHECK(json["accuracy"]["fake_quant"]["value"] == 1.0);
  CHECK(json["accuracy"]["integer"]["value"] == 0.9);
  CHECK(json["accuracy"]["integer"]["interval"][0] == wilson(9, 10).low);
  CHECK(json["per_class"][2]["images"] == 3);
  CHECK(json["per_class"][2]["integer"].get<double>() == doctest::Approx(2.0 / 3));
  CHECK(json["per_class"][2]["fake_quant"] == 1.0);
  CHECK(json["confusion"]["of"] == "integer");
  CHECK(json["confusion"]["counts"] == config::Json({{4, 0, 0}, {0, 3, 0}, {0, 1, 2}}));
  CHECK(json["latency_us"]["p99"] == 30.0);
}

TEST_CASE("a model alone has one column, and many classes are shown by their mistakes") {
  Evaluation e = small();
  e.float_accuracy.reset();
  e.fake_quant.reset();
  const config::Json json = to_json(e);
  CHECK(json["accuracy"]["float"].is_null());
  CHECK(json["accuracy"]["fake_quant"].is_null());
  CHECK(json["per_class"][0]["fake_quant"].is_null());
  e.classes = 100;
  CHECK(contains(to_text(e), "most frequent mistakes"));
  CHECK(contains(to_text(e), "      1      2      1\n"));
  e.classes = 3;
  CHECK(contains(to_text(e), "           2      .      1      2\n"));
}

TEST_CASE("data that do not fit a network are told with both numbers") {
  const Dataset& digits = tiny_digits();
  CHECK(error_of([&] { require_classes(10, digits, "m"); }) == "(no error)");
  for (const int outputs : {9, 11}) {
    CHECK(error_of([&] { require_classes(outputs, digits, "m"); }) ==
          "m: tells " + std::to_string(outputs) + " classes apart; the data (digits) have 10");
  }
  CHECK(error_of([&] { require_shape({28, 28, 1}, digits.test, "m"); }) == "(no error)");
  CHECK(error_of([&] {
          require_shape({28, 28, 3}, digits.test, "m");
        }) == "m: takes images of [28, 28, 3]; the data are [28, 28, 1]");
}
