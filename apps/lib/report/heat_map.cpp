#include "apps/lib/report/heat_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/lib/report/html.h"
#include "apps/lib/report/png.h"
#include "framework/base/text.h"

namespace pare::report {
namespace {

// Pixels of the page.
constexpr std::int64_t kMostColumns = 1024, kMostRows = 320;
constexpr std::int64_t kLargestCell = 8;

// Colours with the page's background shining through: one picture serves light and dark.
constexpr Rgba kNegative = {224, 110, 30, 0}, kPositive = {40, 132, 214, 0};
constexpr Rgba kMasked = {0, 0, 0, 0}, kRounded = {128, 128, 128, 110};
constexpr std::uint8_t kMaskedIndex = 0, kRoundedIndex = 1;
constexpr int kFirstNegative = 2, kShades = 100, kFirstPositive = kFirstNegative + kShades;
constexpr int kWeakestAlpha = 70;  // a weight that is there must show

Rgba shade(Rgba colour, int step, int steps) {
  colour[3] = static_cast<std::uint8_t>(kWeakestAlpha + (255 - kWeakestAlpha) * step / (steps - 1));
  return colour;
}

std::vector<Rgba> signed_palette() {
  std::vector<Rgba> palette = {kMasked, kRounded};
  for (const Rgba& colour : {kNegative, kPositive}) {
    for (int i = 0; i < kShades; ++i) palette.push_back(shade(colour, i, kShades));
  }
  return palette;
}

// 0: no weight of the block is there; 255: all are.
std::vector<Rgba> density_palette() {
  std::vector<Rgba> palette = {kMasked};
  for (int i = 0; i < 255; ++i) palette.push_back(shade(kPositive, i, 255));
  return palette;
}

// The square root lifts small weights, of which most matrices are made.
Raster every_weight(const WeightMatrix& matrix) {
  float largest = 0;
  for (const float value : matrix.values) largest = std::max(largest, std::abs(value));
  Raster raster{Raster::Kind::palette, matrix.columns, matrix.rows, {}, signed_palette()};
  for (std::size_t i = 0; i < matrix.values.size(); ++i) {
    const float value = matrix.values[i];
    if (value == 0) {
      raster.samples.push_back(matrix.keep[i] ? kRoundedIndex : kMaskedIndex);
      continue;
    }
    const int step = static_cast<int>(std::sqrt(std::abs(value) / largest) * (kShades - 1));
    raster.samples.push_back(
        static_cast<std::uint8_t>((value < 0 ? kFirstNegative : kFirstPositive) + step));
  }
  return raster;
}

// Blocks at the right and lower edge may be smaller; their density is of what they hold.
Raster density(const WeightMatrix& matrix, std::int64_t block_rows, std::int64_t block_columns) {
  Raster raster{Raster::Kind::palette,
                (matrix.columns + block_columns - 1) / block_columns,
                (matrix.rows + block_rows - 1) / block_rows,
                {},
                density_palette()};
  for (std::int64_t y = 0; y < matrix.rows; y += block_rows) {
    for (std::int64_t x = 0; x < matrix.columns; x += block_columns) {
      const std::int64_t bottom = std::min(y + block_rows, matrix.rows);
      const std::int64_t right = std::min(x + block_columns, matrix.columns);
      std::int64_t alive = 0;
      for (std::int64_t r = y; r < bottom; ++r) {
        for (std::int64_t c = x; c < right; ++c)
          alive += matrix.values[static_cast<std::size_t>(r * matrix.columns + c)] != 0;
      }
      const std::int64_t all = (bottom - y) * (right - x);
      // Rounded up: a block is drawn empty only where it is.
      raster.samples.push_back(static_cast<std::uint8_t>((alive * 255 + all - 1) / all));
    }
  }
  return raster;
}

const char* kSignedLegend =
    "<span class=\"key\"><i class=\"chip negative\"></i>negative</span>"
    "<span class=\"key\"><i class=\"chip positive\"></i>positive, stronger is larger</span>"
    "<span class=\"key\"><i class=\"chip rounded\"></i>rounded to zero</span>"
    "<span class=\"key\"><i class=\"chip masked\"></i>masked</span>";

std::string density_legend(std::int64_t rows, std::int64_t columns) {
  return fmt::format(
      "<span class=\"key\"><i class=\"chip masked\"></i>all zero</span>"
      "<span class=\"key\"><i class=\"chip ramp\"></i>more weights that are not zero</span>"
      "<span class=\"key\">one dot = {} weights ({} x {}), drawn by how many of them are not "
      "zero</span>",
      rows * columns, rows, columns);
}

}  // namespace

std::string to_html(const WeightMatrix& matrix) {
  const std::int64_t block_rows = (matrix.rows + kMostRows - 1) / kMostRows;
  const std::int64_t block_columns = (matrix.columns + kMostColumns - 1) / kMostColumns;
  const bool whole = block_rows * block_columns == 1;
  const Raster raster = whole ? every_weight(matrix) : density(matrix, block_rows, block_columns);
  const std::int64_t wide = std::clamp<std::int64_t>(kMostColumns / raster.width, 1, kLargestCell);
  const std::int64_t high = std::clamp<std::int64_t>(kMostRows / raster.height, 1, kLargestCell);
  return fmt::format(
      "<figure class=\"map\"><figcaption><b>{}</b> {} weights as {} rows (outputs) x {} "
      "columns "
      "(inputs)<br>{}</figcaption><div class=\"scroll\"><img alt=\"weights of {}\" width=\"{}\" "
      "height=\"{}\" src=\"{}\"></div></figure>\n",
      escape(matrix.name), escape(matrix.shape), grouped(matrix.rows), grouped(matrix.columns),
      whole ? kSignedLegend : density_legend(block_rows, block_columns), escape(matrix.name),
      raster.width * wide, raster.height * high, data_uri(raster));
}

}  // namespace pare::report
