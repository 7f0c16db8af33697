// Moments: tensors that an optimizer keeps per parameter (a momentum, a mean square), zero at
// first.
#pragma once

#include <string>
#include <vector>

#include "framework/parameter.h"
#include "framework/state.h"

namespace pare {

class Moments {
 public:
  // `name` ends their paths: "optimizer/conv1.weight/momentum".
  Moments(std::string name, const std::vector<Parameter*>& parameters) : name_(std::move(name)) {
    for (const Parameter* parameter : parameters) {
      tensors_.push_back(Tensor::persistent(parameter->shape()));
    }
  }

  Tensor& operator[](std::size_t i) { return tensors_[i]; }

  void visit_state(const std::vector<Parameter*>& parameters, StateVisitor& visitor) {
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      visitor.tensor("optimizer/" + parameters[i]->path() + "/" + name_, tensors_[i]);
    }
  }

 private:
  std::string name_;
  std::vector<Tensor> tensors_;
};

}  // namespace pare
