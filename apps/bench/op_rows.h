// Rows of ops of the autograd graph, with their closures: for what has no kernel of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "apps/bench/kernel_rows.h"
#include "framework/autograd/variable.h"

namespace pare::bench {

// An op with the state that it may have.
struct OpInstance {
  std::function<Variable(const std::vector<Variable>&)> op;
  std::vector<Bytes> also_reads = {};  // beside its inputs, forward and backward
  // Gradients that backward() leaves elsewhere than in the inputs.
  std::function<std::vector<Tensor>()> also_written = nullptr;
};

struct OpKernel {
  std::string name;
  std::vector<Shape> inputs;
  Shape output;
  std::function<OpInstance(const std::vector<Tensor>& inputs)> make;
  // What the closure reads beside dy, and the inputs whose gradients it writes (one of those that
  // share theirs).
  std::vector<std::size_t> keeps = {}, gradients = {0};
  bool keeps_output = false;
  double also_read_bytes = 0, also_written_bytes = 0;  // of OpInstance's lists
};

KernelRow forward_row(const OpKernel& kernel);
KernelRow backward_row(const OpKernel& kernel);

}  // namespace pare::bench
