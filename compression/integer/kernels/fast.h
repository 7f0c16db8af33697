// A program prepared for speed: weights laid out once, then run operation by operation on blocks of
// images.
//
// Same codes as the reference kernels, which tests require bit for bit.
#pragma once

#include <cstdint>
#include <vector>

#include "compression/integer/kernels/channelwise.h"
#include "compression/integer/kernels/convolve.h"

namespace pare::integer {

class FastKernels {
 public:
  // `program` must have been validated and outlive this object.
  explicit FastKernels(const Program& program);

  // Working memory for blocks of up to `images` images.
  Scratch make_scratch(std::int64_t images) const;

  // Operation `index` on `images` images that lie one behind the other in each tensor. `b` is read
  // by Add only.
  void run(std::size_t index, std::int64_t images, const std::int8_t* a, const std::int8_t* b,
           std::int8_t* out, Scratch& scratch) const;

 private:
  struct Prepared {
    std::vector<Panels> groups;        // conv2d, dense
    std::vector<std::int16_t> taps;    // depthwise_conv2d
    std::vector<OperandTable> tables;  // add
  };
  struct Call;

  const Program* program_;
  PanelKernel kernel_;
  std::vector<Prepared> prepared_;
};

}  // namespace pare::integer
