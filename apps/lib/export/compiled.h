// Generated C, compiled by the system's compiler and run: what verifies a C export.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/lib/export/sample.h"
#include "compression/exporters/c99/c99.h"

namespace pare {

struct CompiledOutputs {
  std::vector<std::int8_t> from_codes;   // int8 codes, also where the program returns bytes
  std::vector<std::int8_t> from_pixels;  // empty where the model has no table
};

// $CC or cc; nothing where this machine has none.
std::optional<std::string> c_compiler();

// Compiles the three files (any warning is an error), runs the self test and the sample. Throws
// VerificationError where they do not compile or the self test fails.
CompiledOutputs run_compiled(const std::string& compiler, const C99Export& exported, bool bytes,
                             const Sample& sample);

}  // namespace pare
