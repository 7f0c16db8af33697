// How configs say a schedule. Each kind lists its own keys, so that a key without effect is an
// unknown key.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <optional>

#include "framework/config/config.h"
#include "framework/config/object.h"
#include "framework/schedule.h"

namespace pare {
namespace {

using Kind = Schedule::Kind;
using Unit = Schedule::Unit;

const std::vector<std::pair<std::string, Unit>>& units() {
  static const std::vector<std::pair<std::string, Unit>> names = {
      {"fraction", Unit::fraction}, {"epochs", Unit::epochs}, {"steps", Unit::steps}};
  return names;
}

// One pass of an Object over a schedule.
struct Description {
  Schedule& s;
  ScheduleUse use;
  config::Object& o;

  config::RealRange range() const {
    return use == ScheduleUse::sparsity ? config::RealRange{.min = 0, .max = 1}
                                        : config::RealRange{.min = 0};
  }

  void value(const char* key, double& x, const char* doc) const { o.real(key, x, range(), doc); }

  void position(const char* key, double& x, const char* doc) const {
    o.real(key, x, {.min = 0, .max = kLongestSchedule}, doc);
    if (s.unit == Unit::fraction && x > 1) {
      o.fail(key, fmt::format("expected a fraction from 0 to 1, got {}; or give a \"unit\"", x));
    }
  }

  void unit() const { o.choice("unit", s.unit, units(), "of begin, end, warmup and at"); }

  void warmup() const { position("warmup", s.warmup, "length of the climb to `from`"); }

  void frequency() const {
    o.integer("frequency", s.frequency,
              {.min = 1, .max = static_cast<std::int64_t>(kLongestSchedule)},
              "steps between two changes");
  }

  // Both ends of the way.
  void ends() const {
    if (use != ScheduleUse::sparsity) o.require("from");
    if (use != ScheduleUse::learning_rate) o.require("to");
    value("from", s.from, "value before begin");
    value("to", s.to, "value from end on");
  }

  void way() const {
    unit();
    position("begin", s.begin, "where the way from `from` to `to` starts");
    position("end", s.end, "where it is over");
    if (s.begin >= s.end) o.fail("", "expected begin before end");
    warmup();
    if (s.warmup >= s.end) o.fail("warmup", "expected the warmup to be over before end");
    frequency();
  }

  void constant() const {
    std::optional<double> from, to = s.to;
    o.field("from", from, hidden(), "the value");
    o.field("to", to, config::optional(config::real(range())), "the value");
    if (o.given("from") == o.given("to")) {
      o.fail("",
             "a constant (the kind where none is given) has one value: expected 'from' or 'to', or "
             "another 'kind'");
    }
    s.from = s.to = o.given("from") ? *from : to.value_or(0);
    unit();
    warmup();
  }

  void one_shot() const {
    ends();
    unit();
    position("begin", s.begin, "where the value jumps");
    warmup();
  }

  void plain() const {
    ends();
    way();
  }

  void polynomial() const {
    plain();
    o.real("power", s.power, {.max = 100, .above = 0}, "exponent");
  }

  void exponential() const {
    plain();
    if (s.from <= 0 || s.to <= 0) o.fail("", "exponential: expected 'from' and 'to' above 0");
  }

  void step() const {
    o.require("from");
    o.require("at");
    value("from", s.from, "value before the first position");
    o.field("at", s.drops, config::list(config::real({.min = 0, .max = kLongestSchedule})),
            "positions at which the value is multiplied by gamma");
    o.real("gamma", s.gamma, {.max = 1, .above = 0}, "factor at each of them");
    unit();
    warmup();
    if (!o.given("at")) return;
    if (s.drops.empty() || std::adjacent_find(s.drops.begin(), s.drops.end(),
                                              std::greater_equal<>()) != s.drops.end()) {
      o.fail("at", "expected rising positions, at least one");
    }
    if (s.unit == Unit::fraction && !s.drops.empty() && s.drops.back() > 1) {
      o.fail("at", "expected fractions from 0 to 1; or give a \"unit\"");
    }
  }

  void one_cycle() const {
    ends();
    unit();
    position("end", s.end, "where the fall is over");
    o.require("warmup");
    position("warmup", s.warmup, "length of the climb from `from` / 25 to `from`");
    if (s.warmup <= 0 || s.warmup >= s.end) {
      o.fail("warmup", "expected a warmup above 0 and before end; 0.3 is usual");
    }
    frequency();
  }

 private:
  // A spelling that is read but not written.
  config::Type<std::optional<double>> hidden() const {
    auto type = config::optional(config::real(range()));
    type.write = [](const std::optional<double>&) { return config::omitted(); };
    return type;
  }
};

struct KindRow {
  const char* name;
  Kind kind;
  void (Description::*describe)() const;
};

constexpr KindRow kKinds[] = {
    {"constant", Kind::constant, &Description::constant},
    {"one_shot", Kind::one_shot, &Description::one_shot},
    {"linear", Kind::linear, &Description::plain},
    {"polynomial", Kind::polynomial, &Description::polynomial},
    {"exponential", Kind::exponential, &Description::exponential},
    {"cosine", Kind::cosine, &Description::plain},
    {"step", Kind::step, &Description::step},
    {"one_cycle", Kind::one_cycle, &Description::one_cycle},
};

void describe(Schedule& s, ScheduleUse use, config::Object& o) {
  std::vector<config::Alternative> alternatives;
  std::string kind;
  for (const KindRow& row : kKinds) {
    if (row.kind == s.kind) kind = row.name;
    alternatives.push_back({row.name, [&s, use, &row](config::Object& inner) {
                              s.kind = row.kind;
                              (Description{s, use, inner}.*row.describe)();
                            }});
  }
  o.alternatives("kind", kind, alternatives, "the course");
}

Schedule fresh(ScheduleUse use) {
  Schedule schedule;
  if (use == ScheduleUse::sparsity) schedule.frequency = 100;
  return schedule;
}

}  // namespace

config::Type<Schedule> schedule_type(ScheduleUse use) {
  const auto inside = [use](config::Object& o) {
    Schedule defaults = fresh(use);
    describe(defaults, use, o);
  };
  return {
      .read =
          [use](const config::Node& node, Schedule& x) {
            x = fresh(use);
            if (node.is_object()) {
              config::detail::read_object(node, [&](config::Object& o) { describe(x, use, o); });
              return;
            }
            if (!node.is_number()) node.expected("a number or a schedule {\"kind\": ...}");
            const double most =
                use == ScheduleUse::sparsity ? 1 : std::numeric_limits<double>::infinity();
            x.from = x.to = node.real({.min = 0, .max = most});
          },
      .write =
          [use](const Schedule& x) {
            if (x.kind == Kind::constant && x.warmup == 0) return config::Json(x.to);
            Schedule copy = x;
            return config::detail::write_object([&](config::Object& o) { describe(copy, use, o); });
          },
      .name = "number or schedule",
      .allowed = use == ScheduleUse::sparsity ? "from 0 to 1" : "at least 0",
      .schema =
          [use, inside] {
            const config::RealRange range{
                .min = 0, .max = use == ScheduleUse::sparsity ? 1 : config::RealRange().max};
            return config::Json{
                {"anyOf", config::Json::array({config::detail::real_schema(range),
                                               config::detail::object_schema(inside)})}};
          },
      .inside = inside};
}

}  // namespace pare
