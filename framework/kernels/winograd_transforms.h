// The five linear maps of Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2016,
// arXiv:1509.09308) for the points 0, 1, -1, 2, -2 and infinity, on vectors of channels.
//
// A tile of 4 x 4 outputs of a 3 x 3 filter g, from the 6 x 6 inputs d that it reads, is
//   y = A^T [(G g G^T) * (B^T d B)] A     (* is the product of elements),
// 36 products in place of 144. The gradients follow: of g it is G^T [(B^T d B) * (A dy A^T)] G; of
// d it is the same convolution, of dy with the filter turned round.
#pragma once

#include <cstdint>

#include "framework/kernels/simd.h"

namespace pare::winograd {

inline constexpr int kOutputs = 4;                 // per side of a tile
inline constexpr int kInputs = 6;                  // per side of what a tile reads
inline constexpr int kTaps = 3;                    // per side of the filter
inline constexpr int kPoints = kInputs * kInputs;  // products of a tile, per channel and output

using simd::Floats;
using simd::for_vectors;

inline Floats times(float factor, Floats v) { return simd::broadcast(factor) * v; }
inline Floats plus(Floats sum, float factor, Floats v) {
  return simd::fma(simd::broadcast(factor), v, sum);
}

// B^T d.
inline void input_map(const Floats (&d)[6], Floats (&v)[6]) {
  const Floats even = plus(d[4], -4, d[2]), odd = plus(d[3], -4, d[1]);
  const Floats near = d[4] - d[2], far = times(2, d[3] - d[1]);
  v[0] = plus(plus(d[4], 4, d[0]), -5, d[2]);
  v[1] = even + odd;
  v[2] = even - odd;
  v[3] = near + far;
  v[4] = near - far;
  v[5] = plus(plus(d[5], 4, d[1]), -5, d[3]);
}

// G g.
inline void filter_map(const Floats (&g)[3], Floats (&u)[6]) {
  const Floats outer = g[0] + g[2], far = times(1.0f / 24, plus(g[0], 4, g[2]));
  u[0] = times(0.25f, g[0]);
  u[1] = times(-1.0f / 6, outer + g[1]);
  u[2] = times(-1.0f / 6, outer - g[1]);
  u[3] = plus(far, 1.0f / 12, g[1]);
  u[4] = plus(far, -1.0f / 12, g[1]);
  u[5] = g[2];
}

// A^T m.
inline void output_map(const Floats (&m)[6], Floats (&y)[4]) {
  const Floats even = m[1] + m[2], odd = m[1] - m[2];
  const Floats far_even = m[3] + m[4], far_odd = m[3] - m[4];
  y[0] = m[0] + even + far_even;
  y[1] = plus(odd, 2, far_odd);
  y[2] = plus(even, 4, far_even);
  y[3] = plus(odd, 8, far_odd) + m[5];
}

// A dy.
inline void output_gradient_map(const Floats (&dy)[4], Floats (&m)[6]) {
  const Floats even = dy[0] + dy[2], odd = dy[1] + dy[3];
  const Floats far_even = plus(dy[0], 4, dy[2]), far_odd = times(2, plus(dy[1], 4, dy[3]));
  m[0] = dy[0];
  m[1] = even + odd;
  m[2] = even - odd;
  m[3] = far_even + far_odd;
  m[4] = far_even - far_odd;
  m[5] = dy[3];
}

// G^T du.
inline void filter_gradient_map(const Floats (&du)[6], Floats (&dg)[3]) {
  const Floats even = times(-1.0f / 6, du[1] + du[2]), odd = times(1.0f / 6, du[2] - du[1]);
  const Floats far_even = du[3] + du[4], far_odd = du[3] - du[4];
  dg[0] = plus(plus(even, 0.25f, du[0]), 1.0f / 24, far_even);
  dg[1] = plus(odd, 1.0f / 12, far_odd);
  dg[2] = plus(even, 1.0f / 6, far_even) + du[5];
}

// Asks for what the tile below another one reads or writes of its own, `ahead` floats behind p:
// 4 x 4 pixels, `line` floats from row to row.
template <class Ask>
[[gnu::always_inline]] inline void ask_below(const Ask& ask, const float* p, std::int64_t ahead,
                                             std::int64_t line, std::int64_t pixel) {
#pragma GCC unroll 4
  for (int i = 0; i < kOutputs; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kOutputs; ++j) ask(p, ahead + i * line + j * pixel);
  }
}

// The map along both sides of a square: load(row, column) gives it, store(row, column, value) takes
// the result. Inlined, or every store would make the compiler look up again what the callers
// captured.
template <int from, int to, class Map, class Load, class Store>
[[gnu::always_inline]] inline void along_both(const Map& map, const Load& load,
                                              const Store& store) {
  Floats half[to][from];
#pragma GCC unroll 6
  for (int j = 0; j < from; ++j) {
    Floats column[from], mapped[to];
#pragma GCC unroll 6
    for (int i = 0; i < from; ++i) column[i] = load(i, j);
    map(column, mapped);
#pragma GCC unroll 6
    for (int i = 0; i < to; ++i) half[i][j] = mapped[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < to; ++i) {
    Floats mapped[to];
    map(half[i], mapped);
#pragma GCC unroll 6
    for (int j = 0; j < to; ++j) store(i, j, mapped[j]);
  }
}

}  // namespace pare::winograd
