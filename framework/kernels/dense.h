// The three products of a dense layer, out of the register tiles of tile.h, for batches of any size
// from kSmallBatch on; below it OpenBLAS takes them (gemm.h).
//
// A batch is thin: 64 or 128 rows. A general product packs both sides, which costs a fifth of the
// time at that width. Here the wide side, the weight, is read where it lies, or packed in panels as
// wide as a tile (gradients of x); only the batch is transposed, once.
//
// Parallel over shape-sized tiles, the whole sum of an element inside one of them.
#pragma once

#include <cstdint>

namespace pare {

struct DenseExtents {
  std::int64_t batch, in, out;
};

// y [batch, out] = x [batch, in] * weight [out, in]^T + bias [out]; a null bias counts as zero.
void dense_forward(const DenseExtents& e, const float* x, const float* weight, const float* bias,
                   float* y);

// dx [batch, in] = beta * dx + dy [batch, out] * weight; beta is 0 or 1.
void dense_input_gradient(const DenseExtents& e, const float* dy, const float* weight, float* dx,
                          float beta);

// dweight [out, in] = beta * dweight + dy^T * x; beta is 0 or 1.
void dense_weight_gradient(const DenseExtents& e, const float* x, const float* dy, float* dweight,
                           float beta);

}  // namespace pare
