#include "apps/lib/finish.h"

#include <doctest/doctest.h>

#include <cstring>

#include "apps/lib/result.h"
#include "apps/lib/snapshot.h"
#include "apps/lib/trainer.h"
#include "compression/integer/engine.h"
#include "compression/integer/model_file.h"
#include "framework/config/config.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

namespace {

struct Finished {
  RunConfig config;
  Trainer trainer;
  Outcome outcome;

  explicit Finished(const RunConfig& run)
      : config(run), trainer(config, tiny_digits(), {}), outcome(end()) {}
  Outcome end() {
    trainer.run();
    trainer.restore_kept();
    return finish(trainer.network(), config, tiny_digits(), nullptr);
  }
  config::Json result() {
    const auto layers =
        layer_statistics(trainer.network(), tiny_digits().test, pixel_values(tiny_digits()));
    return result_json(config, tiny_digits(), trainer, outcome, layers, 1.5);
  }
};

// One trained, pruned and quantized network for all tests that only look at it.
Finished& trained() {
  static Finished finished(tiny_config({}));
  return finished;
}

// Verifies a program that is not the one the network was lowered to.
std::string verified(const integer::Program& program) {
  const integer::Engine engine(program);
  const Images& test = tiny_digits().test;
  std::vector<std::int8_t> codes(test.pixels.size());
  engine.pixels_to_codes(test.pixels, codes);
  try {
    require_verified(
        verify(trained().trainer.network(), trained().outcome.integer->final, engine, codes));
  } catch (const VerificationError& error) {
    CHECK(error.code() == ExitCode::verification);
    return error.what();
  }
  return "verified";
}

integer::Conv2d& convolution(integer::Program& program) {
  return std::get<integer::Conv2d>(program.operations.front());
}

// The message names tensor, image, and both codes.
void check_names(const std::string& message, const std::string& tensor) {
  CAPTURE(message);
  CHECK(contains(message, "tensor '" + tensor + "', image "));
  CHECK(contains(message, "the training graph gives code "));
  CHECK(contains(message, ", the engine "));
}

}  // namespace

TEST_CASE("the engine agrees with the trained network on every code of every test image") {
  const IntegerForm& form = *trained().outcome.integer;
  CHECK(form.verification.differing == 0);
  CHECK(form.verification.images == 96);
  std::int64_t per_image = 0;
  for (const integer::Tensor& tensor : form.program.tensors) per_image += tensor.size();
  CHECK(form.verification.codes == 96 * per_image);
  CHECK_FALSE(form.post_training);
  CHECK(verified(form.program) == "verified");
  CHECK((integer::decode_model(form.bytes, "x") == form.program));
}

TEST_CASE("one changed weight code fails the verification") {
  integer::Program program = trained().outcome.integer->program;
  std::int8_t& code = convolution(program).weights.codes[12];
  code = static_cast<std::int8_t>(code > 0 ? code - 90 : code + 90);
  check_names(verified(program), "relu_1");
}

TEST_CASE("one changed multiplier fails the verification") {
  integer::Program program = trained().outcome.integer->program;
  std::int32_t& value = convolution(program).channels.multipliers[3].value;
  value = value > (3 << 29) ? value - (1 << 28) : value + (1 << 28);
  check_names(verified(program), "relu_1");
}

TEST_CASE("one changed clamp fails the verification") {
  integer::Program program = trained().outcome.integer->program;
  integer::Tensor& output = program.tensors[static_cast<std::size_t>(program.output)];
  output.code_max = output.zero_point + 5;
  check_names(verified(program), output.name);
}

TEST_CASE("a network without grids is quantized after training, for integers only") {
  Finished dense(tiny_config({"phases[1].apply=[]", "phases[2].apply=[]"}));
  REQUIRE(dense.outcome.integer);
  CHECK(dense.outcome.integer->post_training);
  CHECK(dense.outcome.integer->verification.differing == 0);
  CHECK(dense.result()["integer_from"] == "post_training");
  CHECK(dense.result()["sparsity_by_mask"] == 0);
}

TEST_CASE("a phase of no epochs calibrates a network that lowers") {
  Finished calibrated(tiny_config({"phases[2].epochs=0"}));
  CHECK(calibrated.result()["integer_from"] == "trained");
  CHECK(calibrated.outcome.integer->verification.differing == 0);
  CHECK(calibrated.trainer.state().rows.back().phase == "quantize");
}

TEST_CASE("no integer form on request") {
  Finished none(tiny_config({"report.integer=none"}));
  CHECK_FALSE(none.outcome.integer);
  const config::Json result = none.result();
  CHECK(result["accuracy"]["integer"].is_null());
  CHECK(result["integer_refused"] == "report.integer is none");
}

TEST_CASE("the result counts what the program holds") {
  const config::Json result = trained().result();
  const IntegerForm& form = *trained().outcome.integer;
  std::int64_t zeros = 0, weights = 0;
  for (const integer::Operation& operation : form.program.operations) {
    const auto count = [&](const auto& op) {
      if constexpr (requires { op.weights; }) {
        for (const std::int8_t code : op.weights.codes) zeros += code == 0;
        weights += std::ssize(op.weights.codes);
      }
    };
    std::visit(count, operation);
  }
  CHECK(weights == 8 * 25 + 288 * 10);
  CHECK(result["sparsity"].get<double>() ==
        static_cast<double>(zeros) / static_cast<double>(weights));
  CHECK(result["sparsity_by_mask"] == 0.75);  // 2310 of 3080
  CHECK(result["sparsity"].get<double>() >= 0.75);
  CHECK(result["bytes"]["model"] == form.bytes.size());
  CHECK(result["bytes"]["float32"] == 4 * (8 * 25 + 2 * 8 + 288 * 10 + 10));
  // 12 x 12 output pixels of 25 weights, and a dense layer.
  CHECK(result["macs"] == 144 * 8 * 25 + 288 * 10);
  CHECK(result["layers"][0]["effective_macs"] ==
        144 * (200 - result["layers"][0]["zeros"].get<std::int64_t>()));
  CHECK(result["bops"] == result["effective_macs"].get<std::int64_t>() * 64);
  CHECK(result["integer_check"]["differing"] == 0);
  CHECK(result["dataset"]["test"] == 96);
  CHECK(result["seconds"] == 1.5);
  for (const char* key : {"name", "seed", "latency_us", "phases", "integer_refused"})
    CHECK(result.contains(key));
}

TEST_CASE("what cannot be lowered is refused before training, with the node's name") {
  const auto text = R"({"model": [{"kind": "flatten"}, {"kind": "dense", "units": 10},
                                  {"kind": "sigmoid", "name": "squash"}]})";
  const RunConfig run = config::read<RunConfig>(config::load_text(text, "x"));
  const std::string message = error_of([&] { rehearse(run, tiny_digits()); });
  CHECK(contains(message, "squash"));
  CHECK(contains(message, "cannot become integers"));
  CHECK(error_of([] { rehearse(tiny_config({}), tiny_digits()); }) == "(no error)");
  CHECK(error_of([] {
          rehearse(tiny_config({"compression.prune.include=[\"nothing\"]"}), tiny_digits());
        }) != "(no error)");
}

TEST_CASE(
    "a signal is answered before every batch of the end of a run, whatever it measures there") {
  const RunConfig run = tiny_config({"phases[2].apply=[]"});  // grids come after training
  std::int64_t asked = 0;
  const auto ends_with_signal_at = [&](std::int64_t question) {
    Trainer trainer(run, tiny_digits(), {});
    asked = 0;
    const VerifyProgress ask = [&](std::int64_t) {
      if (asked++ == question) throw Stopped{15};
    };
    finish(trainer.network(), run, tiny_digits(), ask);
  };
  ends_with_signal_at(-1);
  const std::int64_t questions = asked;
  CHECK(questions == 3);  // 256 images calibrate, 96 measure, 96 verify: a batch each
  for (std::int64_t question = 0; question < questions; ++question)
    CHECK_THROWS_AS(ends_with_signal_at(question), Stopped);
}

TEST_CASE(
    "an edge whose range collapsed in training has its scale raised, and the run ends in integers") {
  Finished finished(tiny_config({}));
  Network& network = finished.trainer.network();
  CHECK(integer_fault(network, finished.config) == "");
  const VisitState visit = [&](StateVisitor& v) { network.visit_state(v); };
  Snapshot state;
  collect(state, "", visit);
  int collapsed = 0;
  for (NamedArray& array : state) {
    const bool is_range = array.name.ends_with("/range") && array.bytes.size() == 2 * sizeof(float);
    if (!is_range || !array.name.starts_with("last") || array.name.starts_with("last.")) continue;
    const float range[] = {-1e-13f, 1e-13f};
    std::memcpy(array.bytes.data(), range, sizeof range);
    ++collapsed;
  }
  REQUIRE(collapsed == 1);
  restore(state, "", visit, "state");
  CHECK(integer_fault(network, finished.config) == "");
  const Outcome outcome = finish(network, finished.config, tiny_digits(), nullptr);
  CHECK(outcome.integer->final.raised_edges == 1);
  CHECK(outcome.integer->verification.differing == 0);
}
