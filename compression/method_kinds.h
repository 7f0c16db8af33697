// The table of what a method's `kind` may be: name, description, keys. A new kind of method is a
// config struct in MethodConfig's variant, its row here, and a case in make_method().
#pragma once

#include <span>

#include "compression/method_config.h"

namespace pare {

struct MethodKind {
  const char* name;
  const char* description;
  void (*describe)(MethodConfig& method, config::Object& o);  // its keys
};

std::span<const MethodKind> method_kinds();

}  // namespace pare
