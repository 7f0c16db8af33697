// Once its buffers are there, a step of training asks the system for nothing.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <algorithm>
#include <optional>
#include <string>

#include "apps/lib/bench_training.h"
#include "framework/tensor/storage.h"
#include "tests/hostile/meter.h"
#include "tests/threads.h"

namespace pare {
namespace {

struct Demand {
  std::int64_t allocations;    // by operator new
  std::int64_t tensor_blocks;  // taken from the system
  std::int64_t page_faults;    // of the whole process
};

std::int64_t page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

Demand demand_of(bench::Training& training, int steps) {
  const std::int64_t faults = page_faults();
  const std::int64_t blocks = memory_statistics().system_allocations;
  test::start_meter();
  for (int i = 0; i < steps; ++i) training.step();
  const auto allocations = static_cast<std::int64_t>(test::read_meter().count);
  return {allocations, memory_statistics().system_allocations - blocks, page_faults() - faults};
}

// The least of several rounds: which thread takes a tile first, and so needs its scratch memory, is
// not decided in the first step; and the system moves pages for reasons of its own.
Demand least_demand(bench::Training& training) {
  demand_of(training, 3);
  Demand least = demand_of(training, 2);
  for (int round = 0; round < 8; ++round) {
    const Demand now = demand_of(training, 2);
    least.allocations = std::min(least.allocations, now.allocations);
    least.tensor_blocks = std::min(least.tensor_blocks, now.tensor_blocks);
    least.page_faults = std::min(least.page_faults, now.page_faults);
    if (least.allocations + least.tensor_blocks + least.page_faults == 0) break;
  }
  return least;
}

// What is trained, beside the network itself.
struct Way {
  const char* what;
  std::optional<QuantizeConfig> quantize;
  std::optional<double> ema;
};

QuantizeConfig learned(const char* activations) {
  QuantizeConfig config;
  config.weights->quantizer = "lsq";
  config.weights->set_bits(4);
  config.activations->quantizer = activations;
  config.activations->set_bits(4);
  return config;
}

void require_no_demand(const std::string& net) {
  const test::Threads threads(2);
  const Way ways[] = {{"float", std::nullopt, std::nullopt},
                      {"8 bits", QuantizeConfig(), std::nullopt},
                      {"lsq", learned("lsq"), std::nullopt},
                      {"pact", learned("pact"), std::nullopt},
                      {"an average of float weights", std::nullopt, 0.999},
                      {"an average of lsq", learned("lsq"), 0.999}};
  for (const Way& way : ways) {
    CAPTURE(net);
    CAPTURE(way.what);
    bench::Training training(net, 32, way.quantize, way.ema);
    const Demand demand = least_demand(training);
    CHECK(demand.allocations == 0);
    CHECK(demand.tensor_blocks == 0);
    CHECK(demand.page_faults == 0);
  }
}

TEST_CASE("the first step asks for memory, so that nothing asked means something") {
  bench::Training training("N1", 32, true);
  const Demand demand = demand_of(training, 1);
  CHECK(demand.allocations > 0);
  CHECK(demand.tensor_blocks > 0);
  CHECK(demand.page_faults > 0);
}

TEST_CASE("a step of LeNet-300-100 asks the system for nothing") { require_no_demand("N1"); }
TEST_CASE("a step of the document's CNN asks the system for nothing") { require_no_demand("N2"); }
TEST_CASE("a step of LeNet-5 asks the system for nothing") { require_no_demand("N3"); }
TEST_CASE("a step of the CIFAR network asks the system for nothing") { require_no_demand("N4"); }
TEST_CASE("a step of ResNet-20 asks the system for nothing") { require_no_demand("N5"); }

}  // namespace
}  // namespace pare
