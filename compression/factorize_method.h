// "kind": "factorize": at the start of its phase, layers become chains of smaller ones.
//
// svd: dense `fc` -> fc_in [r, in], fc_out [out, r]; convolution `conv` -> conv_in (r filters, its
// own kernel, stride and padding), conv_out (1x1) (Denton et al. 2014; Zhang et al. 2016). tucker2:
// convolution -> conv_in (1x1), conv_core (its kernel), conv_out (1x1) (Kim et al. 2016). Only the
// last node has the bias. The network stays so: later phases train, prune and quantize the new
// nodes, and checkpoints hold them.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "compression/method.h"

namespace pare {

struct FactorizeConfig {
  enum class Kind { svd, tucker2 };
  // One number, or with tucker2 [of the output channels, of the input channels].
  struct Rank {
    std::int64_t out = 1, in = 1;
  };

  Kind method = Kind::svd;
  std::optional<Rank> rank;
  std::optional<double> energy;
  std::vector<std::string> include, exclude;

  void describe(config::Object& o);
};

class FactorizeMethod final : public Method {
 public:
  explicit FactorizeMethod(FactorizeConfig config) : config_(std::move(config)) {}

  // Throws ConfigError: a layer that the method cannot factorize or that is compressed already, a
  // rank that is larger than the matrix's.
  void attach(Network& network) override;
  bool rebuilds() const override { return true; }
  void adopt(Network&) override {}
  void release(Network&) override {}
  void before_step(const MethodStep&) override {}
  bool at_target() const override { return true; }
  std::string status() const override;
  void visit_state(const std::string& prefix, StateVisitor& visitor) override;

 private:
  FactorizeConfig config_;
  std::int64_t factorized_ = 0;  // layers
};

}  // namespace pare
