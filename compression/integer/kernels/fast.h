// A program prepared for speed: weights laid out once, then run step by step on blocks of images.
//
// Same codes as the reference kernels, which tests require bit for bit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compression/integer/kernels/kernel_set.h"
#include "compression/integer/kernels/scratch.h"
#include "compression/integer/schedule.h"

namespace pare::integer {

class FastKernels {
 public:
  // `program` must have been validated; it and `kernels` must outlive this object. Steps have at
  // most `images` images.
  FastKernels(const Program& program, const KernelSet& kernels, std::int64_t images);

  // Working memory of one thread.
  Scratch make_scratch() const;

  // `step` on `images` images that lie one behind the other in each tensor, codes within the
  // tensor's range. `b` is read by Add only.
  void run(const Step& step, std::int64_t images, const std::int8_t* a, const std::int8_t* b,
           std::int8_t* out, Scratch& scratch) const;

  // Whether an operation has no form of its own: its weights' codes are read at every run.
  bool by_reference(std::size_t operation) const { return prepared_[operation].reference; }

  // What runs a step, for people: "convolve 3x3 + max pool, avx512_vnni".
  std::string describe(const Step& step) const;

 private:
  struct Prepared {
    std::vector<PackedLayer> groups;         // conv2d, dense
    std::optional<SparseLayer> sparse;       // in place of a single group
    std::optional<WinogradLayer> winograd;   // in place of a single group
    std::optional<BitLayer> bits;            // in place of groups
    std::vector<std::int32_t> rows, pooled;  // their output pixels (pixel_map.h)
    DepthwiseLayer depthwise;
    std::optional<AddJob> add;
    std::optional<AverageJob> average;
    std::int64_t image_bytes = 0;  // of scratch.image
    std::int64_t stack = 0;        // ImageJob::stack
    bool reference = false;        // packed_operations is false
    std::int64_t words = 0;        // of scratch.words: a dense layer's one image
  };
  struct Call;

  void prepare(Prepared& prepared, const Conv2d& op);
  void prepare(Prepared& prepared, const Dense& op);
  void prepare(Prepared& prepared, const DepthwiseConv2d& op);
  void prepare(Prepared& prepared, const GlobalAverage& op);
  void prepare(Prepared& prepared, const Add& op);
  template <class Other>
  void prepare(Prepared&, const Other&) {}
  template <class Layer>
  bool prepare_bits(Prepared& prepared, const Layer& op, const std::vector<TapRun>& runs) const;
  bool prepare_winograd(Prepared& prepared, const Conv2d& op, const PackedLayer& dense) const;
  template <class Layer>
  void prepare_group(Prepared& prepared, const Layer& op, const WeightLayout& layout,
                     std::int64_t first, std::int64_t outputs, const std::vector<TapRun>& runs,
                     const std::vector<TapRun>& stacked = {}) const;

  const Program* program_;
  const KernelSet* kernels_;
  std::int64_t images_;
  std::vector<Prepared> prepared_;
};

}  // namespace pare::integer
