// Calibration after training sees training images alone: what it makes does not depend on a pixel
// of the others.
#include <doctest/doctest.h>

#include "datasets/load.h"
#include "tests/apps/tiny_trainer.h"

using namespace pare;

namespace {

void invert(Images& images) {
  for (std::uint8_t& pixel : images.pixels) pixel = static_cast<std::uint8_t>(255 - pixel);
}

Dataset with_inverted(std::initializer_list<Images Dataset::*> parts) {
  Dataset data = tiny_digits();
  for (const auto part : parts) invert(data.*part);
  data.hash = hash_of(data);
  return data;
}

// The integers of a run without updates: of the data, calibration alone makes a difference.
std::vector<std::byte> model_of(const std::string& method, const Dataset& data) {
  TinyRun run(tiny_config({"report.keep=last", "compression.int8=" + method,
                           R"(phases=[{"name": "calibrate", "epochs": 0, "apply": ["int8"]}])"}),
              -1, data);
  return run.end().model;
}

const char* const kMethods[] = {
    R"({"_delete_": true, "kind": "quantize"})",
    R"({"_delete_": true, "kind": "quantize", "activations": {"observer": "mse"},
        "correct_bias": true, "adaround": {"iterations": 20}, "calibration": {"images": 40}})",
    R"({"_delete_": true, "kind": "quantize", "batch_norm": "fold", "equalize": true,
        "weights": {"granularity": "per_tensor"}, "activations": {"observer": "percentile"}})",
    // The method leaves activations to the calibration behind all phases.
    R"({"_delete_": true, "kind": "quantize", "activations": null})"};

}  // namespace

TEST_CASE("a calibrated model depends on training images, and on no pixel of the others") {
  const Dataset others = with_inverted({&Dataset::validation, &Dataset::test});
  const Dataset training = with_inverted({&Dataset::train});
  REQUIRE(others.hash != tiny_digits().hash);
  for (const char* method : kMethods) {
    CAPTURE(method);
    const std::vector<std::byte> model = model_of(method, tiny_digits());
    REQUIRE_FALSE(model.empty());
    CHECK((model_of(method, others) == model));
    CHECK_FALSE((model_of(method, training) == model));
  }
}
