#include "compression/integer/schedule.h"

#include "compression/integer/kernels/pixel_map.h"
#include "compression/integer/operations.h"

namespace pare::integer {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// The only operation that reads each tensor; kNone where there are none or several. The program's
// output is read by the caller too.
std::vector<std::size_t> only_readers(const Program& program) {
  std::vector<std::size_t> readers(program.tensors.size(), kNone);
  std::vector<int> counts(program.tensors.size(), 0);
  counts[program.output] = 1;
  for (std::size_t k = 0; k < program.operations.size(); ++k) {
    for (const std::int32_t t : inputs_of(program.operations[k])) {
      readers[t] = ++counts[t] == 1 ? k : kNone;
    }
  }
  return readers;
}

Step make_step(const Program& program, std::size_t first, std::size_t last) {
  return {first, last, inputs_of(program.operations[first]), output_of(program.operations[last])};
}

}  // namespace

Schedule every_operation(const Program& program) {
  Schedule schedule;
  for (std::size_t k = 0; k < program.operations.size(); ++k)
    schedule.push_back(make_step(program, k, k));
  return schedule;
}

Schedule fused_operations(const Program& program, const FusionRule& rule) {
  const std::vector<std::size_t> readers = only_readers(program);
  std::vector<bool> done(program.operations.size(), false);
  Schedule schedule;
  for (std::size_t k = 0; k < program.operations.size(); ++k) {
    if (done[k]) continue;
    const std::size_t reader = readers[output_of(program.operations[k])];
    const auto* pool =
        reader == kNone ? nullptr : std::get_if<MaxPool2d>(&program.operations[reader]);
    const std::size_t last = pool != nullptr && rule(k, *pool) ? reader : k;
    done[last] = true;
    schedule.push_back(make_step(program, k, last));
  }
  return schedule;
}

Schedule fused_operations(const Program& program) {
  const std::vector<bool> packed = packed_operations(program);
  return fused_operations(program, [&](std::size_t k, const MaxPool2d& pool) {
    return std::holds_alternative<Conv2d>(program.operations[k]) && packed[k] &&
           pool.window == Window{2, 2, 2, 2, 0, 0, 0, 0};
  });
}

}  // namespace pare::integer
