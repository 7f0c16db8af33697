#include "framework/kernels/dense.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "framework/base/parallel.h"
#include "framework/kernels/gemm.h"
#include "framework/kernels/tile.h"
#include "framework/kernels/transpose.h"
#include "framework/tensor/tensor.h"

namespace pare {
namespace {

// Below this many rows a tile as wide as two vectors is mostly empty.
constexpr std::int64_t kSmallBatch = 8;
// Terms of a sum that are done for all rows before the next ones, and panels that are packed
// together: at most 256 KB.
constexpr std::int64_t kTerms = 512;
constexpr std::int64_t kGroupPanels = 4;
constexpr std::int64_t kSegment[] = {0};

std::int64_t panels(std::int64_t columns) { return (columns + kTileColumns - 1) / kTileColumns; }

// x [batch, in] as panels [in, kTileColumns] of x^T, with zeros where a panel is wider than what is
// left of the batch.
Tensor transposed_panels(const DenseExtents& e, const float* x) {
  Tensor result(Shape{panels(e.batch), e.in, kTileColumns});
  float* out = result.mutable_data();
  const std::int64_t squares = (e.in + simd::kLanes - 1) / simd::kLanes;
  parallel_tiles(panels(e.batch) * squares, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      const std::int64_t panel = n / squares, k = n % squares * simd::kLanes;
      const std::int64_t columns = std::min<std::int64_t>(simd::kLanes, e.in - k);
      for (std::int64_t half = 0; half < kTileColumns; half += simd::kLanes) {
        const std::int64_t row = panel * kTileColumns + half;
        const std::int64_t rows = std::clamp<std::int64_t>(e.batch - row, 0, simd::kLanes);
        transpose_square(x + row * e.in + k, e.in, rows, columns,
                         out + (panel * e.in + k) * kTileColumns + half, kTileColumns,
                         simd::kLanes);
      }
    }
  });
  return result;
}

// dy [batch, out] as [tiles, batch, rows]: what a tile of so many rows broadcasts, side by side.
// Where it lies, one image's row is often a power of two behind the last, and a few sets of the
// cache would have to hold all that a tile reads.
Tensor rows_by_tile(const DenseExtents& e, const float* dy, std::int64_t rows) {
  const std::int64_t tiles = (e.out + rows - 1) / rows;
  Tensor result(Shape{tiles, e.batch, rows});
  float* out = result.mutable_data();
  parallel_tiles(tiles, 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = 0; b < e.batch; ++b) {
      for (std::int64_t t = begin; t < end; ++t)
        std::copy_n(dy + b * e.out + t * rows, std::min(rows, e.out - t * rows),
                    out + (t * e.batch + b) * rows);
    }
  });
  return result;
}

// y [batch, out]: the tile's [rows, kTileColumns] sums, transposed. Where vectors are short, a tile
// has more rows than a square.
void write_transposed(const float* sums, std::int64_t rows, std::int64_t columns, float* y,
                      std::int64_t out) {
  for (std::int64_t i = 0; i < rows; i += simd::kLanes) {
    for (std::int64_t j = 0; j < columns; j += simd::kLanes) {
      transpose_square(sums + i * kTileColumns + j, kTileColumns,
                       std::min<std::int64_t>(simd::kLanes, rows - i),
                       std::min<std::int64_t>(simd::kLanes, columns - j), y + j * out + i, out, 0);
    }
  }
}

// Columns of a wide matrix that are copied together: some panels, so that memory is read and
// written in runs of more than a tile's width; few enough that there are at least eight groups.
std::int64_t group_columns(std::int64_t columns) {
  return kTileColumns * std::clamp<std::int64_t>(panels(columns) / 8, 1, kGroupPanels);
}

// `columns` columns of a matrix, [rows, ld], as panels [rows, kTileColumns]; valid until the
// calling thread's next call.
const float* pack_group(const float* matrix, std::int64_t ld, std::int64_t rows,
                        std::int64_t columns) {
  thread_local std::vector<float> packed;
  packed.resize(static_cast<std::size_t>(panels(columns) * rows * kTileColumns));
  const std::int64_t whole = columns / kTileColumns * kTileColumns;
  for (std::int64_t k = 0; k < rows; ++k) {
    const float* row = matrix + k * ld;
    float* to = packed.data() + k * kTileColumns;
    for (std::int64_t n = 0; n < whole; n += kTileColumns, to += rows * kTileColumns) {
      simd::store(to, simd::load(row + n));
      simd::store(to + simd::kLanes, simd::load(row + n + simd::kLanes));
    }
    std::copy_n(row + whole, columns - whole, to);
  }
  return packed.data();
}

// Calls product(first column) for every panel of a group, with the tile's output set to `out`
// [rows, ld]; where `adds`, sums begin with what is there.
template <class Tile, class Product>
void for_each_panel(Tile& tile, float* out, std::int64_t ld, std::int64_t columns, bool adds,
                    const Product& product) {
  for (std::int64_t n = 0; n < columns; n += kTileColumns) {
    tile.columns = std::min(kTileColumns, columns - n);
    for (std::int64_t r = 0; r < tile.rows; ++r) {
      tile.out[r] = out + r * ld + n;
      tile.start[r] = adds ? tile.out[r] : zero_row();
    }
    product(n);
  }
}

}  // namespace

// As y^T = weight * x^T: the weight's rows are broadcast from where they lie.
void dense_forward(const DenseExtents& e, const float* x, const float* weight, const float* bias,
                   float* y) {
  if (e.batch < kSmallBatch) {
    for (std::int64_t b = 0; b < e.batch && bias; ++b) std::copy_n(bias, e.out, y + b * e.out);
    gemm(Transpose::no, Transpose::yes, e.batch, e.out, e.in, x, e.in, weight, e.in,
         bias ? 1.0f : 0.0f, y, e.out);
    return;
  }
  const Tensor turned = transposed_panels(e, x);
  const std::int64_t rows = balanced_tile(e.out);
  parallel_tiles(e.out, rows, [&](std::int64_t begin, std::int64_t end) {
    std::array<float, kTileRows * kTileColumns> sums;
    for (std::int64_t panel = 0; panel < panels(e.batch); ++panel) {
      GatherTile tile;
      tile.rows = end - begin;
      tile.columns = kTileColumns;
      for (std::int64_t r = 0; r < tile.rows; ++r) {
        float* row = sums.data() + r * kTileColumns;
        std::fill_n(row, kTileColumns, bias ? bias[begin + r] : 0.0f);
        tile.a[r] = weight + (begin + r) * e.in;
        tile.start[r] = tile.out[r] = row;
      }
      gather_product(tile, kSegment, e.in, turned.data() + panel * e.in * kTileColumns,
                     kTileColumns);
      const std::int64_t first = panel * kTileColumns;
      write_transposed(sums.data(), tile.rows, std::min(kTileColumns, e.batch - first),
                       y + first * e.out + begin, e.out);
    }
  });
}

void dense_input_gradient(const DenseExtents& e, const float* dy, const float* weight, float* dx,
                          float beta) {
  if (e.batch < kSmallBatch) {
    gemm(Transpose::no, Transpose::no, e.batch, e.in, e.out, dy, e.out, weight, e.in, beta, dx,
         e.in);
    return;
  }
  const std::int64_t rows = balanced_tile(e.batch);
  parallel_tiles(e.in, group_columns(e.in), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = 0; first < e.out; first += kTerms) {
      const std::int64_t terms = std::min(kTerms, e.out - first);
      const float* group = pack_group(weight + first * e.in + begin, e.in, terms, end - begin);
      const bool adds = first > 0 || beta != 0;
      for (std::int64_t b = 0; b < e.batch; b += rows) {
        GatherTile tile;
        tile.rows = std::min(rows, e.batch - b);
        for (std::int64_t r = 0; r < tile.rows; ++r) tile.a[r] = dy + (b + r) * e.out + first;
        for_each_panel(tile, dx + b * e.in + begin, e.in, end - begin, adds, [&](std::int64_t n) {
          gather_product(tile, kSegment, terms, group + n * terms, kTileColumns);
        });
      }
    }
  });
}

// Sums over the batch; a panel is [batch, kTileColumns] of x.
void dense_weight_gradient(const DenseExtents& e, const float* x, const float* dy, float* dweight,
                           float beta) {
  if (e.batch < kSmallBatch) {
    gemm(Transpose::yes, Transpose::no, e.out, e.in, e.batch, dy, e.out, x, e.in, beta, dweight,
         e.in);
    return;
  }
  const std::int64_t rows = balanced_tile(e.out);
  const Tensor by_tile = rows_by_tile(e, dy, rows);
  Tensor offsets(Shape{2 * e.batch});  // memory for one int64 per image
  auto* points = reinterpret_cast<std::int64_t*>(offsets.mutable_data());
  for (std::int64_t b = 0; b < e.batch; ++b) points[b] = b * rows;
  const std::span<const std::int64_t> images(points, static_cast<std::size_t>(e.batch));
  parallel_tiles(e.in, group_columns(e.in), [&](std::int64_t begin, std::int64_t end) {
    const float* group = pack_group(x + begin, e.in, e.batch, end - begin);
    for (std::int64_t o = 0; o < e.out; o += rows) {
      OuterTile tile;
      tile.rows = std::min(rows, e.out - o);
      for (std::int64_t r = 0; r < tile.rows; ++r) tile.offset[r] = r;
      for_each_panel(tile, dweight + o * e.in + begin, e.in, end - begin, beta != 0,
                     [&](std::int64_t n) {
                       outer_product(tile, by_tile.data() + o * e.batch, images,
                                     group + n * e.batch, kTileColumns);
                     });
    }
  });
}

}  // namespace pare
