#include "apps/lib/report/confusion.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/lib/report/html.h"
#include "apps/lib/report/png.h"
#include "apps/lib/report/table.h"
#include "framework/base/error.h"

namespace pare::report {
namespace {

constexpr int kMostClassesInTable = 20;
constexpr std::size_t kMostPairs = 10;

std::int64_t row_sum(const Confusion& c, int truth) {
  std::int64_t sum = 0;
  for (int k = 0; k < c.classes; ++k) sum += c.at(truth, k);
  return sum;
}

std::int64_t column_sum(const Confusion& c, int predicted) {
  std::int64_t sum = 0;
  for (int k = 0; k < c.classes; ++k) sum += c.at(k, predicted);
  return sum;
}

std::string ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? "–"
                    : fmt::format("{:.1f} %",
                                  100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

// The largest count off the diagonal, at least 1.
std::int64_t worst(const Confusion& c) {
  std::int64_t most = 1;
  for (int t = 0; t < c.classes; ++t) {
    for (int p = 0; p < c.classes; ++p) {
      if (t != p) most = std::max(most, c.at(t, p));
    }
  }
  return most;
}

// Right answers are shaded by recall, wrong ones relative to the worst pair.
std::string cell(const Confusion& c, int truth, int predicted, std::int64_t most) {
  const std::int64_t count = c.at(truth, predicted);
  const bool right = truth == predicted;
  if (count == 0) return right ? "0" : "<span class=\"none\">·</span>";
  const double strength =
      static_cast<double>(count) / static_cast<double>(right ? row_sum(c, truth) : most);
  return fmt::format(
      "<span class=\"{}\" style=\"--a:{:.2f}\" title=\"true {}, predicted {}: {}\">{}</span>",
      right ? "right" : "wrong", 0.08 + 0.42 * strength, truth, predicted, count, count);
}

std::string matrix_table(const Confusion& c) {
  Table table;
  table.columns.push_back({"true \\ predicted", "rows: true class; columns: predicted class"});
  for (int k = 0; k < c.classes; ++k) table.columns.push_back({fmt::format("{}", k)});
  table.columns.push_back({"recall", "of the images of this class, how many were found"});
  const std::int64_t most = worst(c);
  for (int t = 0; t < c.classes; ++t) {
    std::vector<std::string> row = {fmt::format("{}", t)};
    for (int p = 0; p < c.classes; ++p) row.push_back(cell(c, t, p, most));
    row.push_back(ratio(c.at(t, t), row_sum(c, t)));
    table.rows.push_back(std::move(row));
  }
  std::vector<std::string> last = {"precision"};
  for (int p = 0; p < c.classes; ++p) last.push_back(ratio(c.at(p, p), column_sum(c, p)));
  last.push_back("");
  table.rows.push_back(std::move(last));
  table.has_total = true;
  return "<div class=\"confusion\">" + to_html(table) + "</div>";
}

// Each row is shaded relative to the number of its images.
std::string matrix_picture(const Confusion& c) {
  Raster raster{Raster::Kind::palette, c.classes, c.classes, {}, {}};
  for (int i = 0; i < 256; ++i)
    raster.palette.push_back({40, 132, 214, static_cast<std::uint8_t>(i)});
  for (int t = 0; t < c.classes; ++t) {
    const std::int64_t all = std::max<std::int64_t>(1, row_sum(c, t));
    for (int p = 0; p < c.classes; ++p)
      raster.samples.push_back(static_cast<std::uint8_t>((c.at(t, p) * 255 + all - 1) / all));
  }
  const int size = c.classes * std::max(1, 500 / c.classes);
  return fmt::format(
      "<figure class=\"map\"><figcaption>one row per true class, one column per predicted class, "
      "stronger is more of the row's images</figcaption><div class=\"scroll\"><img alt=\"confusion "
      "matrix\" width=\"{}\" height=\"{}\" src=\"{}\"></div></figure>",
      size, size, data_uri(raster));
}

std::string worst_pairs(const Confusion& c) {
  struct Pair {
    int truth, predicted;
    std::int64_t count;
  };
  std::vector<Pair> pairs;
  for (int t = 0; t < c.classes; ++t) {
    for (int p = 0; p < c.classes; ++p) {
      if (t != p && c.at(t, p) > 0) pairs.push_back({t, p, c.at(t, p)});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.count > b.count; });
  if (pairs.size() > kMostPairs) pairs.resize(kMostPairs);
  if (pairs.empty()) return "<p>Not one image was mistaken for another.</p>";
  std::string html = "<p>Mixed up most: ";
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    html += fmt::format("{}<b>{}</b> taken for <b>{}</b> ({})", i == 0 ? "" : ", ", pairs[i].truth,
                        pairs[i].predicted, pairs[i].count);
  }
  return html + ".</p>";
}

}  // namespace

Confusion confusion(std::span<const std::int32_t> truth, std::span<const std::int32_t> predicted,
                    int classes) {
  PARE_ENSURE(truth.size() == predicted.size());
  Confusion result;
  result.classes = classes;
  result.counts.resize(static_cast<std::size_t>(classes) * static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < truth.size(); ++i) {
    PARE_ENSURE(truth[i] >= 0 && truth[i] < classes && predicted[i] >= 0 && predicted[i] < classes);
    ++result.counts[static_cast<std::size_t>(truth[i] * classes + predicted[i])];
  }
  return result;
}

std::string to_html(const Confusion& c) {
  return (c.classes <= kMostClassesInTable ? matrix_table(c) : matrix_picture(c)) + worst_pairs(c);
}

}  // namespace pare::report
