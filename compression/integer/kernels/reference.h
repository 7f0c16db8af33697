// The definition of every operation: plain loops over one image, exactly the formulas of
// docs/arithmetic.md.
//
// Nothing here is fast, and nothing here may become so: the fast kernels, the C code and the
// exporters are all tested against these loops. The program must have passed validate(); kernels
// check nothing.
#pragma once

#include <cstdint>

#include "compression/integer/program.h"

namespace pare::integer {

// Runs one operation on one image. `a` and `b` are the codes of its inputs (b is read by Add only),
// `out` receives the codes of its output tensor. For Clamp and Reshape `out` may be `a`.
void run_reference(const Program& program, const Operation& operation, const std::int8_t* a,
                   const std::int8_t* b, std::int8_t* out);

}  // namespace pare::integer
