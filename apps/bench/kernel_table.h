// The kernels that `bench kernels` times, by name, with what one call does.
#pragma once

#include <functional>
#include <span>
#include <string>

namespace pare::bench {

enum class Bound { arithmetic, memory };

struct KernelRow {
  std::string name;
  Bound bound;
  double work;  // floating-point operations of a call, or bytes read and written
  // Prepares random data; what it returns is one call.
  std::function<std::function<void()>()> make;
};

// The first two rows are the roofs: arithmetic, memory.
std::span<const KernelRow> kernel_table();
const KernelRow& roof(Bound bound);

}  // namespace pare::bench
