// The kernels that `bench kernels` times, by name, with what one call does. What their rows are
// made of is in kernel_rows.h.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace pare::bench {

// What a kernel is measured against: multiply-adds from registers, or copies of memory.
enum class Bound { arithmetic, memory };

using Bytes = std::span<const std::byte>;

// A kernel with random data of its own.
struct KernelCall {
  std::function<void()> call = {};    // what is timed
  std::function<void()> before = {};  // not timed, ahead of each call; may be empty
  // What a call reads and what it has written, each array once: before() and call() may move them.
  std::function<std::vector<Bytes>()> reads = {}, written = {};
};

struct KernelRow {
  std::string name;
  Bound bound;
  double flops;  // floating-point operations of a call; 0: not counted
  double bytes;  // every operand once read, every result once written, however often the call does
  std::function<KernelCall()> make;

  // What its speed is counted in.
  double work() const { return bound == Bound::arithmetic ? flops : bytes; }
};

// The roofs come first.
std::span<const KernelRow> kernel_table();
// The roof that a kernel is measured against: of its bound, and of those of memory the one whose
// bytes are nearest to the kernel's, because they lie in the same cache.
const KernelRow& roof_of(const KernelRow& kernel);

}  // namespace pare::bench
