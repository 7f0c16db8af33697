// Execution: the order in which a network's nodes run, which need not be that of the list as long
// as the values are the same.
//
// * A max pool runs in front of what commutes with it: relu and fake-quantization then see a
// quarter
//   of the elements.
// * A node and its only reader run as one where the node offers that.
//
// What nodes offer is in fusion.h.
#pragma once

#include <cstddef>
#include <vector>

#include "framework/tensor/step_vector.h"
#include "layers/fusion.h"

namespace pare {

struct NetworkNode;

// Values are numbered: 0 is the network's input, i + 1 the output of node i.
struct ExecutionStep {
  Module* module = nullptr;
  FusesWithReader* first = nullptr;  // where not null: runs together with its reader, `module`
  StepVector<std::size_t> inputs = {};
  std::size_t output = 0;
  StepVector<std::size_t> last_read = {};  // values that nobody reads after this step

  Variable run(std::span<const Variable> values, const Pass& pass) const {
    return first ? first->forward_with(*module, values, pass) : module->forward(values, pass);
  }
};

// In the order of the list, each node by itself: every node's value exists.
StepVector<ExecutionStep> plain_execution(const std::vector<NetworkNode>& nodes);
// The fast one: the output of the last node is the same, some others never exist.
StepVector<ExecutionStep> fused_execution(const std::vector<NetworkNode>& nodes);

}  // namespace pare
