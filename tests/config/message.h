// The message of the ConfigError that a call throws, for tests that compare it word for word.
#pragma once

#include <string>

#include "framework/base/error.h"

namespace pare::config {

template <class Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "(no ConfigError)";
}

}  // namespace pare::config
