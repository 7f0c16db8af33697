// Whether all numbers are finite, at the speed of memory.
#pragma once

#include <cstdint>

namespace pare {

// False where there is a NaN or an infinity.
bool all_finite(const float* values, std::int64_t size);

}  // namespace pare
