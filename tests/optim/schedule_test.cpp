#include "framework/schedule.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "framework/base/error.h"
#include "framework/config/config.h"

namespace pare {
namespace {

struct Holder {
  Schedule rate = Schedule::constant(0.001);
  Schedule sparsity;
  Schedule factor = Schedule::constant(4);

  void describe(config::Object& o) {
    o.field("rate", rate, schedule_type(ScheduleUse::learning_rate), "a learning rate");
    o.field("sparsity", sparsity, schedule_type(ScheduleUse::sparsity), "a sparsity");
    o.field("factor", factor, schedule_type(ScheduleUse::factor), "a factor");
  }
};

Holder read(const std::string& json) {
  return config::read<Holder>(config::load_text(json, "x.json"));
}
Schedule rate(const std::string& json) { return read("{\"rate\": " + json + "}").rate; }
Schedule sparsity(const std::string& json) { return read("{\"sparsity\": " + json + "}").sparsity; }

template <class Body>
std::string message(const Body& body) {
  try {
    body();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

doctest::Approx close(double value) { return doctest::Approx(value).epsilon(1e-12); }

const ScheduleSpan kThousand{.steps = 1000, .steps_per_epoch = 100};

TEST_CASE("a number is a constant") {
  const Schedule schedule = rate("0.25");
  for (const int step : {0, 1, 500, 999}) CHECK(schedule.at(step, kThousand) == 0.25);
  CHECK(schedule.target() == 0.25);
  CHECK(schedule == Schedule::constant(0.25));
}

TEST_CASE("every kind starts at from and reaches to on the last update exactly") {
  for (const char* kind : {"linear", "polynomial", "exponential", "cosine"}) {
    for (const char* frequency : {"1", "7", "100", "5000"}) {
      const Schedule s = rate(std::string(R"({"kind": ")") + kind +
                              R"(", "from": 0.3, "to": 0.07, "frequency": )" + frequency + "}");
      INFO(kind, " ", frequency);
      CHECK(s.at(0, kThousand) == 0.3);
      CHECK(s.at(999, kThousand) == 0.07);
      CHECK(s.at(998, kThousand) > 0.07);
      CHECK(s.at(0, {.steps = 1, .steps_per_epoch = 1}) == 0.07);
      CHECK(s.at(0, {.steps = 0, .steps_per_epoch = 1}) == 0.07);
    }
  }
}

TEST_CASE("the ways between are the closed forms") {
  const auto at_300 = [](const char* kind) {
    return rate(std::string(R"({"kind": ")") + kind + R"(", "from": 0.3, "to": 0.07})")
        .at(300, kThousand);
  };
  const double p = 300.0 / 999;
  CHECK(at_300("linear") == close(0.3 + (0.07 - 0.3) * p));
  CHECK(at_300("polynomial") == close(0.07 + 0.23 * (1 - p) * (1 - p) * (1 - p)));
  CHECK(at_300("exponential") == close(std::exp(std::log(0.3) + p * std::log(0.07 / 0.3))));
  CHECK(at_300("cosine") == close(0.07 + 0.23 * 0.5 * (1 + std::cos(std::numbers::pi * p))));
}

TEST_CASE("the polynomial is that of the TensorFlow model optimization toolkit") {
  // tfmot PolynomialDecay(initial_sparsity=0, final_sparsity=0.2, begin_step=100, end_step=1000,
  // power=3, frequency=100): sparsity at step s is 0.2 + (0 - 0.2) (1 - (s - 100) / 900)^3, updated
  // at 100, 200, ..., 1000.
  const Schedule s =
      sparsity(R"({"kind": "polynomial", "to": 0.2, "begin": 100, "end": 1000, "unit": "steps"})");
  const ScheduleSpan span{.steps = 2000, .steps_per_epoch = 100};
  CHECK(s.frequency == 100);
  const double expected[] = {0,
                             0.05953360768,
                             0.10589849108,
                             0.14074074074,
                             0.16570644718,
                             0.18244170096,
                             0.19259259259,
                             0.19780521262,
                             0.19972565158,
                             0.2};
  for (int i = 0; i < 10; ++i) {
    const int step = 100 * (i + 1);
    INFO("step ", step);
    CHECK(s.at(step, span) == doctest::Approx(expected[i]).epsilon(1e-9));
    CHECK(s.is_update(step, span));
    CHECK(s.at(step + 99, span) == s.at(step, span));  // held until the next
    CHECK_FALSE(s.is_update(step + 50, span));
  }
  CHECK(s.at(99, span) == 0);
  CHECK_FALSE(s.is_update(0, span));
  CHECK_FALSE(s.is_update(1100, span));
  CHECK(s.at(1999, span) == 0.2);
}

TEST_CASE("the last update is one even where the frequency would miss it") {
  const Schedule s = sparsity(R"({"kind": "linear", "to": 0.9})");
  const ScheduleSpan span{.steps = 250, .steps_per_epoch = 50};
  std::vector<int> updates;
  for (int step = 0; step < 250; ++step) {
    if (s.is_update(step, span)) updates.push_back(step);
  }
  CHECK(updates == std::vector<int>{0, 100, 200, 249});
  CHECK(s.at(248, span) == close(0.9 * 200 / 249));
  CHECK(s.at(249, span) == 0.9);
}

TEST_CASE("one_shot jumps once") {
  const Schedule s = sparsity(R"({"kind": "one_shot", "to": 0.5, "begin": 0.25})");
  CHECK(s.at(249, kThousand) == 0);
  CHECK(s.at(250, kThousand) == 0.5);
  CHECK(s.is_update(250, kThousand));
  CHECK_FALSE(s.is_update(251, kThousand));
  CHECK_FALSE(s.is_update(0, kThousand));
}

TEST_CASE("a constant is updated once, at the start") {
  const Schedule s = sparsity("0.5");
  CHECK(s.is_update(0, kThousand));
  CHECK_FALSE(s.is_update(100, kThousand));
}

TEST_CASE("step multiplies by gamma at its positions") {
  const Schedule s =
      rate(R"({"kind": "step", "from": 1, "at": [3, 7.5], "gamma": 0.5, "unit": "epochs"})");
  CHECK(s.at(299, kThousand) == 1);
  CHECK(s.at(300, kThousand) == 0.5);
  CHECK(s.at(749, kThousand) == 0.5);
  CHECK(s.at(750, kThousand) == 0.25);
  CHECK(s.target() == 0.25);
}

TEST_CASE("one_cycle climbs from a 25th to the peak and falls by a cosine") {
  const Schedule s = rate(R"({"kind": "one_cycle", "from": 1, "to": 0.001, "warmup": 0.25})");
  CHECK(s.at(0, kThousand) == close(0.04));
  CHECK(s.at(125, kThousand) == close(0.52));
  CHECK(s.at(250, kThousand) == 1);
  const double p = 250.0 / 749;
  CHECK(s.at(500, kThousand) == close(0.001 + 0.999 * 0.5 * (1 + std::cos(std::numbers::pi * p))));
  CHECK(s.at(999, kThousand) == 0.001);
}

TEST_CASE("a warmup climbs linearly from 0 and the way starts behind it") {
  const Schedule s =
      rate(R"({"kind": "linear", "from": 1, "to": 0, "warmup": 9, "unit": "steps", "end": 999})");
  for (int step = 0; step < 9; ++step) CHECK(s.at(step, kThousand) == close((step + 1) / 10.0));
  CHECK(s.at(9, kThousand) == 1);
  CHECK(s.at(504, kThousand) == close(0.5));
  const Schedule constant = rate(R"({"kind": "constant", "from": 2, "warmup": 0.5})");
  CHECK(constant.at(0, kThousand) == close(2.0 / 501));
  CHECK(constant.at(500, kThousand) == 2);
}

TEST_CASE("positions may be fractions, epochs or steps") {
  const Schedule fraction = rate(R"({"kind": "one_shot", "from": 1, "begin": 0.3})");
  const Schedule epochs = rate(R"({"kind": "one_shot", "from": 1, "begin": 3, "unit": "epochs"})");
  const Schedule steps = rate(R"({"kind": "one_shot", "from": 1, "begin": 300, "unit": "steps"})");
  for (const int step : {299, 300}) {
    CHECK(fraction.at(step, kThousand) == epochs.at(step, kThousand));
    CHECK(fraction.at(step, kThousand) == steps.at(step, kThousand));
  }
}

TEST_CASE("a schedule that ends after its phase is refused") {
  const Schedule s = rate(R"({"kind": "cosine", "from": 1, "end": 12, "unit": "epochs"})");
  CHECK(message([&] { s.check(kThousand); }) ==
        "schedule: expected 'end' within its phase of 1000 steps, got 12 epochs = 1200 steps; try "
        "\"unit\": \"fraction\"");
  s.check({.steps = 1200, .steps_per_epoch = 100});
  const Schedule late = rate(R"({"kind": "step", "from": 1, "at": [1001], "unit": "steps"})");
  CHECK(message([&] { late.check(kThousand); }).find("'at' within its phase") != std::string::npos);
}

TEST_CASE("scaled() shortens what is counted in steps") {
  const Schedule s = sparsity(
      R"({"kind": "linear", "to": 1, "begin": 100, "end": 1000, "unit": "steps", "frequency": 50})");
  const ScheduleSpan small{.steps = 20, .steps_per_epoch = 2};
  const Schedule t = s.scaled(20.0 / 1000);
  t.check(small);
  CHECK(t.frequency == 1);
  CHECK(t.at(2, small) == 0);
  CHECK(t.at(19, small) == 1);
  CHECK(rate("0.5").scaled(0.01) == rate("0.5"));
}

TEST_CASE("schedules are written as they are read") {
  for (
      const char* json :
      {"0.5", R"({"kind":"constant","to":0.5,"unit":"epochs","warmup":2.0})",
       R"({"kind":"cosine","from":1.0,"to":0.0,"unit":"fraction","begin":0.0,"end":1.0,"warmup":0.0,"frequency":1})",
       R"({"kind":"step","from":1.0,"at":[0.5],"gamma":0.1,"unit":"fraction","warmup":0.0})",
       R"({"kind":"polynomial","from":1.0,"to":0.5,"unit":"steps","begin":0.0,"end":9.0,"warmup":0.0,"frequency":2,"power":3.0})",
       R"({"kind":"one_cycle","from":1.0,"to":0.5,"unit":"fraction","end":1.0,"warmup":0.25,"frequency":1})",
       R"({"kind":"one_shot","from":1.0,"to":0.5,"unit":"fraction","begin":0.5,"warmup":0.0})"}) {
    CHECK(schedule_type(ScheduleUse::learning_rate).write(rate(json)).dump() == json);
  }
}

TEST_CASE("faults of schedules are told with their place") {
  const auto fault = [](const char* json) { return message([&] { rate(json); }); };
  CHECK(fault(R"({"kind": "cosine"})") == "x.json:1:10: rate: expected a key 'from'");
  CHECK(fault(R"({"kind": "cosin", "from": 1})") ==
        "x.json:1:19: rate.kind: expected one of constant, one_shot, linear, polynomial, "
        "exponential, "
        "cosine, step, one_cycle, got \"cosin\" (did you mean 'cosine'?)");
  CHECK(
      fault(R"({"from": 1, "to": 0.5})") ==
      "x.json:1:10: rate: a constant (the kind where none is given) has one value: expected 'from' "
      "or 'to', or another 'kind'");
  CHECK(fault(R"({"kind": "cosine", "from": 1, "power": 2})") ==
        "x.json:1:40: rate.power: unknown key (only where kind = polynomial)");
  CHECK(fault(R"({"kind": "cosine", "from": 1, "end": 10})") ==
        "x.json:1:47: rate.end: expected a fraction from 0 to 1, got 10; or give a \"unit\"");
  CHECK(fault(R"({"kind": "cosine", "from": 1, "begin": 0.5, "end": 0.5})") ==
        "x.json:1:10: rate: expected begin before end");
  CHECK(fault(R"({"kind": "exponential", "from": 1})") ==
        "x.json:1:10: rate: exponential: expected 'from' and 'to' above 0");
  CHECK(fault(R"({"kind": "step", "from": 1, "at": [0.5, 0.5]})") ==
        "x.json:1:44: rate.at: expected rising positions, at least one");
  CHECK(fault("-1") == "x.json:1:10: rate: expected a number of at least 0, got -1");
  CHECK(fault("\"fast\"") ==
        "x.json:1:10: rate: expected a number or a schedule {\"kind\": ...}, got \"fast\"");
  CHECK(message([] { sparsity("1.5"); }) ==
        "x.json:1:14: sparsity: expected a number from 0 to 1, got 1.5");
  CHECK(message([] { sparsity(R"({"kind": "linear"})"); }) ==
        "x.json:1:14: sparsity: expected a key 'to'");
  CHECK(sparsity(R"({"kind": "linear", "to": 0.5})").from == 0);
}

}  // namespace
}  // namespace pare
