#include "layers/execution.h"

#include <algorithm>

#include "layers/network.h"
#include "layers/pool.h"

namespace pare {
namespace {

using Steps = StepVector<ExecutionStep>;

std::size_t value_of(const std::vector<NetworkNode>& nodes, const std::string& name) {
  if (name == kInputNode) return 0;
  const auto found = std::find_if(nodes.begin(), nodes.end(),
                                  [&](const NetworkNode& node) { return node.name == name; });
  PARE_ENSURE(found != nodes.end());
  return static_cast<std::size_t>(found - nodes.begin()) + 1;
}

Steps in_order(const std::vector<NetworkNode>& nodes) {
  Steps steps;
  steps.reserve(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    ExecutionStep& step = steps.emplace_back(ExecutionStep{.module = nodes[i].module.get()});
    step.output = i + 1;
    for (const std::string& input : nodes[i].inputs) step.inputs.push_back(value_of(nodes, input));
  }
  return steps;
}

// The only step that reads the value, as its only input; or none.
Steps::iterator only_reader(Steps& steps, std::size_t value) {
  Steps::iterator reader = steps.end();
  for (auto step = steps.begin(); step != steps.end(); ++step) {
    const auto reads = std::count(step->inputs.begin(), step->inputs.end(), value);
    if (reads == 0) continue;
    if (reader != steps.end() || step->inputs.size() > 1) return steps.end();
    reader = step;
  }
  return reader;
}

// a -> f -> pool becomes a -> pool -> f, for one f; false where there is none.
bool move_a_pool(Steps& steps) {
  for (ExecutionStep& f : steps) {
    const auto* offer = dynamic_cast<const CommutesWithMaxPool*>(f.module);
    if (offer == nullptr || !offer->commutes_with_max_pool()) continue;
    const auto pool = only_reader(steps, f.output);
    if (pool == steps.end() || dynamic_cast<MaxPool2d*>(pool->module) == nullptr) continue;
    std::swap(f.module, pool->module);
    return true;
  }
  return false;
}

void fuse(Steps& steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    auto* offer = dynamic_cast<FusesWithReader*>(steps[i].module);
    const auto reader = only_reader(steps, steps[i].output);
    if (offer == nullptr || reader == steps.end() || !offer->fuses_with(*reader->module)) continue;
    steps[i].first = offer;
    steps[i].module = reader->module;
    steps[i].output = reader->output;
    steps.erase(reader);
  }
}

Steps with_last_reads(Steps steps) {
  StepVector<char> read(steps.size() * 2 + 2, false);
  for (const ExecutionStep& step : steps) read.resize(std::max(read.size(), step.output + 1));
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    for (const std::size_t input : step->inputs) {
      if (!read[input]) step->last_read.push_back(input);
      read[input] = true;
    }
  }
  return steps;
}

}  // namespace

Steps plain_execution(const std::vector<NetworkNode>& nodes) {
  return with_last_reads(in_order(nodes));
}

Steps fused_execution(const std::vector<NetworkNode>& nodes) {
  Steps steps = in_order(nodes);
  while (move_a_pool(steps)) {
  }
  fuse(steps);
  return with_last_reads(std::move(steps));
}

}  // namespace pare
