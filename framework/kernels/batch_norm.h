// The passes of batch norm over a matrix x [rows, channels], vectorised over channels and parallel
// over tiles of rows. The sums it needs are in columns.h; ops/batch_norm.cpp puts both together.
#pragma once

#include <cstdint>

#include "framework/kernels/normalisation.h"

namespace pare {

// y, with the rectifier.
void normalise(std::int64_t rows, std::int64_t channels, const float* x, const Normalisation& n,
               float* y);

// In what follows dy is the gradient behind the rectifier; what passes it counts.

// dx = beta * dx + factor * dy; beta is 0 or 1.
void scale_gradient(std::int64_t rows, std::int64_t channels, const float* dy, const float* x,
                    const Normalisation& n, float* dx, float beta);

// dx = beta * dx + factor * (dy - mean_dy - (x - mean) * slope); beta is 0 or 1.
void normalised_gradient(std::int64_t rows, std::int64_t channels, const float* dy, const float* x,
                         const Normalisation& n, const float* mean_dy, const float* slope,
                         float* dx, float beta);

}  // namespace pare
