// How an exporter says that a format cannot hold an operation.
#pragma once

#include <cstddef>
#include <string>

#include "compression/integer/geometry.h"
#include "framework/base/error.h"

namespace pare {

struct Refusal {
  const integer::Program* program;
  std::size_t operation;
  const char* format;

  // Throws ConfigError: "model 'x': operation 3 (conv2d 'conv1') <what>; what works: <instead>".
  [[noreturn]] void refuse(const std::string& what, const std::string& instead) const {
    throw ConfigError("model '" + program->name + "' as " + format + ": " +
                      integer::describe(*program, operation) + " " + what +
                      "; what works: " + instead);
  }
};

}  // namespace pare
