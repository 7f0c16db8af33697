// Weighted: what convolutions and dense layers share. A weight, a bias or none, and how they begin.
//
// Compression finds every layer that computes with weights through this class.
#pragma once

#include <memory>

#include "framework/config/forward.h"
#include "layers/module.h"

namespace pare {

// How a weight begins; biases begin at 0.
enum class Init {
  he,      // normal, variance 2 / fan_in (He et al. 2015, "Delving deep into rectifiers", eq. 10)
  glorot,  // uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, eq. 16)
};

// fan_in: inputs that one output sums over. fan_out: outputs that one input reaches.
struct Fans {
  std::int64_t in, out;
};

class Weighted : public Module {
 public:
  Parameter& weight() { return *weight_; }
  const Parameter& weight() const { return *weight_; }
  Parameter* bias() { return bias_.get(); }  // null where there is none
  const Parameter* bias() const { return bias_.get(); }

  void initialize(std::uint64_t seed) override;
  void visit_parameters(const ParameterVisitor& visit) override;

 protected:
  explicit Weighted(Init init) : init_(init) {}

  // Allocates weight and, where wanted, bias [channels of the weight]. Throws ConfigError above
  // 2^26 weights, the integer engine's limit.
  void allocate(const Shape& weight, int channel_axis, bool bias, Fans fans);
  // The bias sent through its chain, or undefined.
  Variable bias_value(const Pass& pass) { return bias_ ? bias_->value(pass) : Variable(); }

 private:
  Init init_;
  Fans fans_{};
  std::unique_ptr<Parameter> weight_;
  std::unique_ptr<Parameter> bias_;
};

// The `init` key.
void describe_init(config::Object& o, Init& init);

}  // namespace pare
