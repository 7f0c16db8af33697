// Whole runs with a codebook whose members change: what is stopped and resumed ends with the same
// bits, and the integers are the trained network's.
#include <doctest/doctest.h>

#include <string>

#include "tests/apps/tiny_trainer.h"

using namespace pare;

namespace {

// A codebook in the second phase, of two epochs, beside what else `apply` names.
RunConfig config_with(const std::string& reassign, const std::string& apply,
                      const std::string& prune) {
  return tiny_config({"compression.int8.weights.quantizer=codebook",
                      "compression.int8.weights.levels=8",
                      "compression.int8.weights.reassign=" + reassign,
                      R"(compression.prune={"_delete_": true, "kind": "prune", )" + prune + "}",
                      "phases[1].apply=" + apply, "phases[2].apply=[]"});
}

// Stopped in the middle of the phase, where its second epoch begins, and behind it.
void check_resumable(const RunConfig& run) {
  const TinyRun::End whole = TinyRun(run).end();
  check_resumes(run, whole, {11, 16, 17, 30});
}

}  // namespace

TEST_CASE("a run whose weights change their clusters is resumed with the same bits") {
  const std::string unused = R"("sparsity": 0.5)";
  check_resumable(config_with("epoch", R"(["int8"])", unused));
}

TEST_CASE("a run in which weights leave clusters and join them is resumed with the same bits") {
  for (const std::string method : {"rigl", "dns"}) {
    CAPTURE(method);
    check_resumable(
        config_with("epoch", R"(["prune", "int8"])",
                    R"("method": ")" + method + R"(", "sparsity": 0.5, "regrow": {"every": 3})"));
  }
}

TEST_CASE("behind weights that came back to a codebook the integers are the trained network's") {
  const RunConfig run = config_with("never", R"(["prune", "int8"])",
                                    R"("method": "rigl", "sparsity": 0.5, "regrow": {"every": 3})");
  TinyRun whole(run);
  whole.train();
  const Outcome outcome = finish(whole.trainer().network(), run, tiny_digits(), nullptr);
  REQUIRE(outcome.integer.has_value());
  CHECK(outcome.integer->verification.differing == 0);
}
