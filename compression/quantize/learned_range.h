// The gradient that a learned step or clipping bound gets: what LSQ, PACT and APoT share.
#pragma once

#include <memory>
#include <vector>

#include "compression/quantize/quantizer.h"
#include "framework/autograd/variable.h"
#include "framework/tensor/step_vector.h"

namespace pare {

// dy / d(size) of one element, y = q(x), inside: the bounds that clip.
enum class SizeGradient {
  step,  // inside: (y - x) / size, clipped: y / size           (LSQ eq. 3; APoT eq. 6)
  clip,  // inside: 0, clipped: the sign of the bound that clips (PACT eq. 3)
};

// y: x on its grid, computed by the caller. The gradient of x is dy where low < x < high; that of
// size[c] is factor * sum of dy * (the above) over channel c of `axis`. A bound that is 0 has no
// sign: what it clips gives nothing.
Variable with_learned_range(const Variable& x, Tensor y, const Variable& size,
                            StepVector<PassRange> inside, int axis, SizeGradient rule,
                            double factor);

// A trainable number per channel, e.g. the step: made with its role and the config's factors,
// 0 until it is initialised.
class LearnedSize {
 public:
  LearnedSize(const char* role, const QuantizerConfig& config, const QuantizerPlace& place);

  bool ready() const { return set_ != 0; }
  // One value per channel.
  void set(const std::vector<double>& values);
  // The same for sizes: 1 where one is 0 (a tensor of zeros).
  void set_sizes(std::vector<double> sizes);
  // Never below 1e-10, whatever an update did.
  double operator[](std::size_t c) const;
  Parameter& parameter() { return *parameter_; }
  const Parameter& parameter() const { return *parameter_; }
  void visit_state(const std::string& prefix, StateVisitor& visitor) {
    visitor.integer(prefix + "/set", set_);
  }

 private:
  std::unique_ptr<Parameter> parameter_;
  std::int64_t set_ = 0;
};

// The mean of |x|, and the largest |x|, per channel.
struct Magnitude {
  double mean, largest;
};
std::vector<Magnitude> channel_magnitudes(const Tensor& x, int axis);

}  // namespace pare
