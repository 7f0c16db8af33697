#include "framework/kernels/gemm.h"

#include <cblas.h>
#include <sys/mman.h>

#include <algorithm>
#include <new>

#include "framework/base/parallel.h"

namespace pare {
namespace {

// Tiles of C: large enough that OpenBLAS runs at speed inside one, small enough that two or three
// threads end together.
constexpr std::int64_t kTileM = 128;
constexpr std::int64_t kTileN = 512;

// OpenBLAS must not start threads of its own; said once, before the first product.
void make_serial() {
  static const bool done = (openblas_set_num_threads(1), true);
  static_cast<void>(done);
}

// OpenBLAS keeps a buffer of 128 MB of address space for each thread inside a product, and tries
// for ever where it finds none. Asked for the same beforehand, the system says no.
void require_buffer() {
  thread_local bool there = false;
  if (there) return;
  constexpr std::size_t kBuffer = (std::size_t{128} << 20) + (std::size_t{1} << 20);
  void* const probe =
      mmap(nullptr, kBuffer, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (probe == MAP_FAILED) throw std::bad_alloc();
  munmap(probe, kBuffer);
  there = true;
}

}  // namespace

void gemm_serial(Transpose a, Transpose b, std::int64_t m, std::int64_t n, std::int64_t k,
                 const float* A, std::int64_t lda, const float* B, std::int64_t ldb, float beta,
                 float* C, std::int64_t ldc) {
  make_serial();
  require_buffer();
  const auto transpose = [](Transpose t) {
    return t == Transpose::yes ? CblasTrans : CblasNoTrans;
  };
  const auto extent = [](std::int64_t e) { return static_cast<blasint>(e); };
  cblas_sgemm(CblasRowMajor, transpose(a), transpose(b), extent(m), extent(n), extent(k), 1.0f, A,
              extent(lda), B, extent(ldb), beta, C, extent(ldc));
}

void gemm(Transpose a, Transpose b, std::int64_t m, std::int64_t n, std::int64_t k, const float* A,
          std::int64_t lda, const float* B, std::int64_t ldb, float beta, float* C,
          std::int64_t ldc) {
  // A small product is cut along its longer side once, so that both of two threads have work.
  const std::int64_t tile_m = m <= kTileM && m > n ? (m + 1) / 2 : kTileM;
  const std::int64_t tile_n = n <= kTileN && n >= m ? (n + 1) / 2 : kTileN;
  const std::int64_t tiles_n = (n + tile_n - 1) / tile_n;
  const std::int64_t tiles_m = (m + tile_m - 1) / tile_m;
  parallel_for(tiles_m * tiles_n, [&](std::int64_t tile) {
    const std::int64_t i = tile / tiles_n * tile_m;
    const std::int64_t j = tile % tiles_n * tile_n;
    const float* a_tile = a == Transpose::no ? A + i * lda : A + i;
    const float* b_tile = b == Transpose::no ? B + j : B + j * ldb;
    gemm_serial(a, b, std::min(tile_m, m - i), std::min(tile_n, n - j), k, a_tile, lda, b_tile, ldb,
                beta, C + i * ldc + j, ldc);
  });
}

}  // namespace pare
