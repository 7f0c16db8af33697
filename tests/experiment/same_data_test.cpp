// All runs of an experiment are on the same images.
#include "apps/lib/experiment/same_data.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/apps/tiny_run.h"
#include "tests/experiment/helpers.h"

using namespace pare;

namespace {

config::Json trained_on(const std::string& hash) {
  return {{"dataset", {{"kind", "cifar10"}, {"requested", "cifar10"}, {"hash", hash}}}};
}

}  // namespace

TEST_CASE("runs of one data set and seed have the same images") {
  const ExperimentFiles files;
  const Plan plan = files.plan(
      R"("axes": {"compression.int8.weights.bits": [8, 4], "dataset.batch_size": [8, 16]}, "seeds": [1, 2])");
  const auto run_of = [&](std::size_t cell, std::uint64_t seed) -> const PlannedRun& {
    for (const PlannedRow& row : plan.rows) {
      if (row.cell == cell && row.seed == seed) return plan.runs[row.run];
    }
    throw FailedError("no such row");
  };
  SameImages images;
  images.add(run_of(0, 1), trained_on("aaa"), "here/1");
  images.add(run_of(0, 2), trained_on("bbb"), "here/2");    // another seed holds out others
  images.add(run_of(1, 1), trained_on("ccc"), "here/3");    // another `dataset`
  images.add(run_of(2, 1), config::Json::object(), "old");  // says nothing of its images
  images.add(run_of(2, 1), trained_on("aaa"), "here/4");
  const std::string message =
      error_of([&] { images.add(run_of(2, 2), trained_on("ddd"), "there/5"); });
  CHECK(contains(message, "'here/2' and 'there/5': were trained on different images"));
  CHECK(contains(message, "\"cifar10\" (dataset.hash bbb and ddd)"));
}
