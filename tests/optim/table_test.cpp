#include "optim/table.h"

#include <doctest/doctest.h>

#include "framework/base/error.h"
#include "framework/config/config.h"

namespace pare {
namespace {

OptimizerConfig read(const std::string& json) {
  return config::read<OptimizerConfig>(config::load_text(json, "x.json"));
}

std::string fault(const std::string& json) {
  try {
    read(json);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("every kind reads, is written back the same, and makes its optimizer") {
  Parameter parameter("w", Shape{2}, 0, true);
  const auto moments = [&](const std::string& kind) {
    const OptimizerConfig config = read(R"({"kind": ")" + kind + "\"}");
    const config::Json json = config::write(config);
    CHECK(config::write(read(json.dump())) == json);
    int count = 0;
    make_optimizer(config, {&parameter})->visit_moments(parameter, [&](Tensor&) { ++count; });
    return count;
  };
  CHECK(moments("adam") == 2);
  CHECK(moments("adamw") == 2);
  CHECK(moments("sgd") == 0);
  CHECK(moments("rmsprop") == 1);
}

TEST_CASE("the default is adam at 0.001") {
  CHECK(config::write(read("{}")).dump() ==
        R"({"kind":"adam","beta1":0.9,"beta2":0.999,"epsilon":1e-08,"learning_rate":0.001,)"
        R"("weight_decay":0.0,"decay_all":false,"l1":0.0,"group_lasso":0.0,"clip_norm":null,"ema":null})");
}

TEST_CASE("keys of other kinds are errors that say whose they are") {
  CHECK(fault(R"({"kind": "adam", "momentum": 0.9})") ==
        "x.json:1:18: momentum: unknown key (only where kind = sgd)");
  CHECK(fault(R"({"kind": "sgd", "nesterov": true})") ==
        "x.json:1:29: nesterov: expected a momentum above 0 with it");
  CHECK(fault(R"({"learning_rate": {"kind": "cosine", "from": 0.1, "to": 0}})").empty());
}

}  // namespace
}  // namespace pare
