#include "apps/lib/report/gallery.h"

#include <fmt/format.h>

#include <algorithm>

namespace pare::report {
namespace {

constexpr std::int64_t kSide = 96;  // about, in pixels of the page

std::string figure(const Mistake& mistake) {
  const std::int64_t larger = std::max(mistake.image.width, mistake.image.height);
  const std::int64_t scale = std::max<std::int64_t>(1, kSide / larger);
  return fmt::format(
      "<figure><img alt=\"test image {}\" title=\"test image {}\" width=\"{}\" height=\"{}\" "
      "src=\"{}\"><figcaption><span class=\"wrong\">{}</span> <small>{:.2f}</small><br>"
      "<span class=\"right\">{}</span> <small>{:.2f}</small></figcaption></figure>\n",
      mistake.index, mistake.index, mistake.image.width * scale, mistake.image.height * scale,
      data_uri(mistake.image), mistake.predicted, mistake.predicted_score, mistake.truth,
      mistake.truth_score);
}

}  // namespace

std::string to_html(const std::vector<Mistake>& mistakes) {
  std::string html = "<div class=\"gallery\">\n";
  for (const Mistake& mistake : mistakes) html += figure(mistake);
  return html + "</div>\n";
}

}  // namespace pare::report
