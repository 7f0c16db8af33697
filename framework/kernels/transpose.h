// Transposing matrices, a square of kLanes x kLanes in registers at a time.
#pragma once

#include <cstdint>

#include "framework/kernels/simd.h"

namespace pare {

// out[j * ld_out + i] = in[i * ld_in + j] for i < rows, j < columns; both at most simd::kLanes.
// Writes zeros for i in [rows, padded_rows), padded_rows <= simd::kLanes.
void transpose_square(const float* in, std::int64_t ld_in, std::int64_t rows, std::int64_t columns,
                      float* out, std::int64_t ld_out, std::int64_t padded_rows);

// out [columns, rows] = in [rows, columns]^T; parallel over columns.
void transpose(const float* in, std::int64_t rows, std::int64_t columns, float* out);

}  // namespace pare
