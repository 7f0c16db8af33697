// Activation: a function without parameters that keeps the shape.
#pragma once

#include "layers/fusion.h"

namespace pare {

class Activation final : public Module, public CommutesWithMaxPool {
 public:
  using Function = Variable (*)(const Variable& x);
  // `kind` must outlive the module (a string literal).
  Activation(std::string_view kind, Function function) : kind_(kind), function_(function) {}

  std::string_view kind() const override { return kind_; }
  Shape build(std::span<const Shape> inputs) override;
  Variable forward(std::span<const Variable> inputs, const Pass& pass) override;
  // Those whose gradient vanishes wherever they make different values equal.
  bool commutes_with_max_pool() const override { return kind_ == "relu" || kind_ == "relu6"; }

 private:
  std::string_view kind_;
  Function function_;
};

struct ActivationKind {
  std::string_view name;
  Activation::Function function;
};

// relu, relu6, sigmoid, tanh, softmax (over the last axis).
std::span<const ActivationKind> activation_kinds();
// By name, which must be one of them.
std::unique_ptr<Module> make_activation(std::string_view kind);

}  // namespace pare
