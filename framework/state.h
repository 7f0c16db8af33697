// State that a checkpoint holds: everything that has some names each of its values to a visitor.
//
// One function per class serves saving, loading and comparing. Names are paths ("conv1.weight",
// "conv1.weight/mask"). A loading visitor requires that the set of names and all shapes agree
// exactly.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/tensor/tensor.h"

namespace pare {

class StateVisitor {
 public:
  virtual ~StateVisitor() = default;
  virtual void tensor(const std::string& name,
                      Tensor& value) = 0;  // float32; loading keeps the shape
  virtual void bytes(const std::string& name,
                     std::vector<std::uint8_t>& value) = 0;  // loading keeps the size
  virtual void integer(const std::string& name, std::int64_t& value) = 0;
  virtual void real(const std::string& name, double& value) = 0;
};

}  // namespace pare
