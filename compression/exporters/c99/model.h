// What generated C will look like, decided before any of it is written: which operations run as one
// step, how each layer's weights are stored, where each tensor lives in the arena.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compression/exporters/c99/weight_table.h"
#include "compression/integer/plan.h"
#include "compression/integer/program.h"
#include "compression/integer/schedule.h"

namespace pare {

// A step with weights, as generated C runs it: every kind is a convolution (kernels.cpp, layer_t).
struct C99Layer {
  WeightTable table;
  integer::Window window;
  std::int32_t depth = 0, per_group = 0, outputs = 0;
  const integer::Channels* channels = nullptr;
  bool dense = false;
  std::int64_t taps() const { return std::int64_t{window.kernel_h} * window.kernel_w * depth; }
  // Streams of dense layers are multiplied as they are read; others are unpacked row by row.
  bool unpacks() const { return !table.plain && !dense; }
};

struct C99Step {
  integer::Step step;
  std::string name;  // of the tensor that it writes, fit for a comment
  const char* kind;
  std::optional<C99Layer> layer;
};

struct C99Model {
  const integer::Program* program;  // outlives the model
  std::vector<C99Step> steps;
  int weight_bytes = 1;  // of a weight in plain tables: 2 where some are no int8
  integer::Plan plan;
};

// The decoder of streams in bytes of machine code (Cortex-M, -Os): what streams must save.
inline constexpr std::int64_t kStreamCodeBytes = 300;

C99Model plan_c99(const integer::Program& program);

// What a step takes: bytes of its weights, of its other tables, and of all tensors and the row that
// are alive while it runs, those that only later steps read among them; 0 for a reshape.
struct C99Size {
  std::string name, kind, form;
  std::int64_t weights = 0, tables = 0, ram = 0;
};
std::vector<C99Size> sizes_of(const C99Model& model);

// "LeNet 5" -> "lenet_5": a C identifier in lower case.
std::string c_identifier(const std::string& name);

}  // namespace pare
