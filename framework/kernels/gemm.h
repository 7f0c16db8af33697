// Matrix products, row-major, through OpenBLAS called single-threaded inside tiles whose size
// depends on the shapes only: the whole reduction of an output element happens inside one call, so
// results do not depend on the thread count.
#pragma once

#include <cstdint>

namespace pare {

enum class Transpose { no, yes };

// C[m x n] = op(A)[m x k] * op(B)[k x n] + beta * C, parallel. ld*: distance between rows as
// stored.
void gemm(Transpose a, Transpose b, std::int64_t m, std::int64_t n, std::int64_t k, const float* A,
          std::int64_t lda, const float* B, std::int64_t ldb, float beta, float* C,
          std::int64_t ldc);

// The same in the calling thread: for kernels that are inside a tile already.
void gemm_serial(Transpose a, Transpose b, std::int64_t m, std::int64_t n, std::int64_t k,
                 const float* A, std::int64_t lda, const float* B, std::int64_t ldb, float beta,
                 float* C, std::int64_t ldc);

}  // namespace pare
