// The passes of batch norm over a matrix x [rows, channels], vectorised over channels and parallel
// over tiles of rows. The sums it needs are in columns.h; ops/batch_norm.cpp puts both together.
#pragma once

#include <cstdint>

namespace pare {

// y = (x - mean) * factor + shift, per channel.
void normalise(std::int64_t rows, std::int64_t channels, const float* x, const float* mean,
               const float* factor, const float* shift, float* y);

// dx = beta * dx + factor * dy; beta is 0 or 1.
void scale_gradient(std::int64_t rows, std::int64_t channels, const float* dy, const float* factor,
                    float* dx, float beta);

// dx = beta * dx + factor * (dy - mean_dy - (x - mean) * slope); beta is 0 or 1.
void normalised_gradient(std::int64_t rows, std::int64_t channels, const float* dy, const float* x,
                         const float* mean, const float* factor, const float* mean_dy,
                         const float* slope, float* dx, float beta);

}  // namespace pare
