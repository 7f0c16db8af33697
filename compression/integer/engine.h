// Runs an integer program. Integers only; same codes for every kernel and every number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compression/integer/program.h"

namespace pare::integer {

struct EngineOptions {
  // The plain loops of reference kernels instead of the fast ones. Codes are the same; tests
  // compare the two.
  bool reference = false;
  // The instruction set of the fast kernels (kernels/kernel_set.h); empty: the fastest one that
  // this processor runs. Codes are the same; tests force each in turn.
  std::string kernels = {};
  // false: once they are packed for the kernels, program() has no weight codes any more, and the
  // weights are in memory once.
  bool keep_codes = true;
};

class Engine {
 public:
  explicit Engine(Program program, EngineOptions options = {});
  ~Engine();
  Engine(Engine&&) noexcept;

  const Program& program() const;
  std::int64_t input_size() const;  // codes per image
  std::int64_t output_size() const;
  std::int64_t arena_bytes() const;  // activations of one image in run(), planned from lifetimes

  // codes: images * input_size(); outputs: images * output_size(). Parallel over images. No
  // allocation in steady state.
  void run(std::span<const std::int8_t> codes, std::span<std::int8_t> outputs) const;

  // Pixels (height x width x channels, bytes) through the program's pixel table. Throws DataError
  // where it has none.
  void pixels_to_codes(std::span<const std::uint8_t> pixels, std::span<std::int8_t> codes) const;

  // Every tensor of the program for these images: result[t] holds images * tensors[t].size() codes.
  // For verification.
  std::vector<std::vector<std::int8_t>> run_all(std::span<const std::int8_t> codes) const;

  // What run() does one after the other, with the kernel that was chosen: "conv2d + max_pool2d,
  // ...".
  std::vector<std::string> steps() const;

  // One run() of at most max_block() images on this thread; adds the nanoseconds of each step to
  // `times`, which has one element per step.
  void time_steps(std::span<const std::int8_t> codes, std::span<std::int64_t> times) const;
  std::int64_t max_block() const;

  // The smallest index among the largest of `scores`.
  static std::int32_t label(std::span<const std::int8_t> scores);

 private:
  friend class Runner;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One thread's way to run an engine, which must outlive it (and stay where it is): its memory is
// allocated here, running allocates nothing and throws nothing.
class Runner {
 public:
  explicit Runner(const Engine& engine);
  ~Runner();
  Runner(Runner&&) noexcept;

  // As Engine::run, on this thread alone. False, and nothing is run, where a code lies outside the
  // input's range.
  bool run(std::span<const std::int8_t> codes, std::span<std::int8_t> outputs) noexcept;
  // The same for pixels; the program must have a table of them.
  void run_pixels(std::span<const std::uint8_t> pixels, std::span<std::int8_t> outputs) noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pare::integer
