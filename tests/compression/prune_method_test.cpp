#include "compression/prune_method.h"

#include <doctest/doctest.h>

#include "compression/prune/mask.h"
#include "compression/quantize_method.h"
#include "framework/base/error.h"
#include "framework/config/config.h"
#include "layers/model_config.h"

using namespace pare;

namespace {

// One dense layer of two outputs; the quantizer's scale is 1 for the first and 0.01 for the second.
struct Fixture {
  Network network =
      network_from_json(nlohmann::ordered_json::parse(
                            R"([{"name": "d", "kind": "dense", "units": 2, "bias": false}])"),
                        {4});
  Parameter& weight() { return *network.parameters()[0]; }
  Fixture() {
    const float values[] = {127, 20.4f, -30.3f, 20.2f, 1.27f, 0.5f, 0.9f, -1.1f};
    std::copy_n(values, 8, weight().latent().mutable_data());
  }
  // Which weights one update leaves: "11010000".
  std::string kept(const std::string& config, bool quantized = false) {
    QuantizeMethod quantize(config::read<QuantizeConfig>(config::load_text("{}", "q")),
                            Composition::mask_then_quantize);
    if (quantized) quantize.attach(network);
    PruneMethod prune(config::read<PruneConfig>(config::load_text(config, "x")),
                      Composition::mask_then_quantize);
    prune.attach(network);
    MethodStep step{.span = {10, 10}, .visit_moments = nullptr};
    step.applied_here = true;
    prune.before_step(step);
    CHECK(prune.at_target());
    std::string text;
    for (const std::uint8_t keep : dynamic_cast<Mask*>(weight().find(kMask))->keep()) {
      text += keep ? '1' : '0';
    }
    return text;
  }
};

}  // namespace

TEST_CASE("score ranks the latent weights, their values on the grid, or their codes") {
  CHECK(Fixture().kept(R"({"sparsity": 0.5})") == "11110000");
  CHECK(Fixture().kept(R"({"sparsity": 0.5, "score": "fake_quant"})", true) == "11110000");
  // Codes: 127 20 -30 20 | 127 50 90 -110
  CHECK(Fixture().kept(R"({"sparsity": 0.5, "score": "int_code"})", true) == "10001011");
}

TEST_CASE("ties go to the smaller latent weight, the smaller index, or any") {
  // One of the two weights with code 20 goes: 20.4 stands before 20.2.
  const std::string head = R"({"sparsity": 0.125, "score": "int_code")";
  CHECK(Fixture().kept(head + "}", true) == "11101111");
  CHECK(Fixture().kept(head + R"(, "ties": "index"})", true) == "10111111");
  const std::string any = Fixture().kept(head + R"(, "ties": "random"})", true);
  CHECK((any == "10111111" || any == "11101111"));
}

TEST_CASE("a threshold prunes once what scores below it") {
  CHECK(Fixture().kept(R"({"threshold": 20.3})") == "11100000");
  CHECK(Fixture().kept(R"({"threshold": 127})") == "10000000");  // 127 is not below itself
  // Means: 49.5 and 0.94 per layer together 25.2
  CHECK(Fixture().kept(R"({"threshold": {"mean_abs": 1}})") == "10100000");
  CHECK(Fixture().kept(R"({"threshold": {"mean_abs": 1}, "score": "int_code"})", true) ==
        "10001011");
  const auto both = [] {
    config::read<PruneConfig>(config::load_text(R"({"threshold": 1, "sparsity": 0.5})", "x"));
  };
  CHECK_THROWS_WITH_AS(both(), doctest::Contains("expected either 'sparsity' or 'threshold'"),
                       ConfigError);
}

TEST_CASE("a score on codes needs a quantizer") {
  CHECK_THROWS_WITH_AS(Fixture().kept(R"({"sparsity": 0.5, "score": "int_code"})"),
                       doctest::Contains("expected a quantizer on 'd.weight'"), ConfigError);
}

TEST_CASE("what is printed of a threshold reads back") {
  for (const std::string text : {R"({"threshold": 0.5})", R"({"threshold": {"mean_abs": 0.5}})"}) {
    const auto read = [](const std::string& t) {
      return config::read<PruneConfig>(config::load_text(t, "x"));
    };
    const config::Json json = config::write(read(text));
    CHECK(config::write(read(json.dump())) == json);
    CHECK_FALSE(json.contains("sparsity"));
  }
}
