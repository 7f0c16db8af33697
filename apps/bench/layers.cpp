#include "apps/bench/layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "apps/bench/networks.h"
#include "compression/integer/engine.h"
#include "compression/integer/operations.h"
#include "compression/integer/schedule.h"

namespace pare::bench {
namespace {

constexpr int kRuns = 1000;

// Steps are described as "name: kernel".
NetLayers described(const std::string& net, const integer::Engine& engine) {
  NetLayers result;
  result.net = net;
  for (const std::string& step : engine.steps()) {
    const std::size_t colon = step.find(": ");
    Layer& layer = result.layers.emplace_back();
    layer.name = step.substr(0, colon);
    layer.kernel = step.substr(colon + 2);
  }
  return result;
}

// Nanoseconds of each step, the least of all runs.
std::vector<std::int64_t> least_times(const integer::Engine& engine, std::int64_t images,
                                      std::size_t steps) {
  const std::vector<std::int8_t> codes = some_codes(images * engine.input_size());
  std::vector<std::int64_t> least(steps, std::numeric_limits<std::int64_t>::max());
  for (int i = 0; i < kRuns; ++i) {
    std::vector<std::int64_t> once(steps);
    engine.time_steps(codes, once);
    for (std::size_t s = 0; s < steps; ++s) least[s] = std::min(least[s], once[s]);
  }
  return least;
}

}  // namespace

NetLayers chosen_kernels(const std::string& net, const std::string& kernels) {
  return described(net, integer::Engine(network(net), {.kernels = kernels}));
}

NetLayers layer_times(const std::string& net, const std::string& kernels, std::int64_t batch) {
  const integer::Program program = network(net);
  const integer::Engine engine(program, {.kernels = kernels});
  NetLayers result = described(net, engine);
  result.images = std::min(batch, engine.max_block());
  const std::vector<std::int64_t> least = least_times(engine, result.images, result.layers.size());
  const integer::Schedule schedule = integer::fused_operations(program);
  for (std::size_t s = 0; s < schedule.size(); ++s) {
    Layer& layer = result.layers[s];
    layer.us = static_cast<double>(least[s]) * 1e-3 / static_cast<double>(result.images);
    const std::int64_t macs = integer::macs_of(program, program.operations[schedule[s].first]);
    layer.gmacs = static_cast<double>(macs) / layer.us * 1e-3;
  }
  return result;
}

std::string text(const NetLayers& net) {
  std::string text =
      fmt::format("{}, {} image{} at a time\n", net.net, net.images, net.images == 1 ? "" : "s");
  for (const Layer& layer : net.layers) {
    const std::string rate = layer.gmacs > 0 ? fmt::format("{:.0f} GMAC/s", layer.gmacs) : "";
    text += fmt::format("{:>9.2f} us {:>11}  {}: {}\n", layer.us, rate, layer.name, layer.kernel);
  }
  return text;
}

}  // namespace pare::bench
