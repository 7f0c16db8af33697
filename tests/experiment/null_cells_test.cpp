// Cells that differ only in a switch without effect are named before they are trained.
#include "apps/lib/experiment/null_cells.h"

#include <doctest/doctest.h>

#include "tests/experiment/helpers.h"

using namespace pare;

namespace {

std::vector<std::string> said(const std::string& keys) {
  const ExperimentFiles files;
  return null_cells(files.plan(keys + R"(, "seeds": [1, 2])"));
}

}  // namespace

TEST_CASE("an axis over a null switch is said once, with the number of its cells") {
  const std::string both = R"("mask_then_quantize", "quantize_then_mask")";
  const std::vector<std::string> texts =
      said(R"("set": {"compression.int8.weights.observe": "dense"},
              "axes": {"composition": [)" +
           both + R"(], "dataset.batch_size": [8, 16]})");
  REQUIRE(texts.size() == 1);
  CHECK(
      texts[0].starts_with("4 cells differ only in what has no effect: composition: "
                           "mask_then_quantize and quantize_then_mask give the same bits"));
  // The range of what reaches the quantizer: the order matters.
  CHECK(said(R"("axes": {"composition": [)" + both + "]}").empty());
}

TEST_CASE("what labelled sets change counts as any axis does") {
  const std::string order = R"("axes": {"order": [
      {"label": "mask first", "set": {"compression.int8.weights.observe": "survivors"}},
      {"label": "quantizer first", "set": {"compression.int8.weights.observe": "survivors", )";
  CHECK(said(order + R"("composition": "quantize_then_mask"}}]})").size() == 1);
  // Another difference beside it is a question.
  CHECK(
      said(order + R"("composition": "quantize_then_mask", "dataset.batch_size": 8}}]})").empty());
}
