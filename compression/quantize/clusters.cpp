#include "compression/quantize/clusters.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>

namespace pare {
namespace {

constexpr int kIterations = 30;

// `count` of the numbers below `size`, every choice equally likely, ascending (Floyd's method:
// Bentley and Floyd 1987, "A sample of brilliance").
std::set<std::size_t> choice(std::size_t size, std::size_t count, Random random) {
  std::set<std::size_t> chosen;
  for (std::size_t last = size - count; last < size; ++last) {
    const std::size_t k = random.below(static_cast<std::uint32_t>(last + 1));
    if (!chosen.insert(k).second) chosen.insert(last);
  }
  return chosen;
}

// From values that are all different, so that no two centroids begin at the same place: the walk in
// move_to_means() would stop at the first of them for ever, and the other never get a member.
std::vector<double> first_centroids(const std::vector<float>& distinct, std::size_t count,
                                    CodebookInit init, const Random& random) {
  std::vector<double> centroids;
  if (init == CodebookInit::random) {
    for (const std::size_t i : choice(distinct.size(), count, random))
      centroids.push_back(distinct[i]);
    return centroids;
  }
  const double low = distinct.front(), width = distinct.back() - distinct.front();
  for (std::size_t k = 0; k < count; ++k) {
    const double part = (static_cast<double>(k) + 0.5) / static_cast<double>(count);
    const auto i = static_cast<std::size_t>(part * static_cast<double>(distinct.size()));
    centroids.push_back(init == CodebookInit::linear ? low + part * width
                                                     : static_cast<double>(distinct[i]));
  }
  return centroids;
}

// The one nearest to 0 becomes 0, which keeps their order. Returns its index.
std::size_t pin_zero(std::vector<double>& centroids) {
  const auto least = std::min_element(centroids.begin(), centroids.end(), [](double a, double b) {
    return std::fabs(a) < std::fabs(b);
  });
  *least = 0;
  return static_cast<std::size_t>(least - centroids.begin());
}

// One iteration of Lloyd's. Members of a centroid are neighbours in sorted order: one walk. A
// centroid without members stays, and so does 0.
void move_to_means(const std::vector<float>& sorted, std::size_t zero,
                   std::vector<double>& centroids) {
  std::vector<double> sums(centroids.size(), 0), sizes(centroids.size(), 0);
  std::size_t k = 0;
  for (const float v : sorted) {
    while (k + 1 < centroids.size() &&
           std::fabs(v - centroids[k + 1]) < std::fabs(v - centroids[k]))
      ++k;
    sums[k] += static_cast<double>(v);
    ++sizes[k];
  }
  for (std::size_t c = 0; c < centroids.size(); ++c) {
    if (sizes[c] > 0 && c != zero) centroids[c] = sums[c] / sizes[c];
  }
}

}  // namespace

std::vector<double> cluster(std::vector<float> values, int count, CodebookInit init,
                            const Random& random) {
  std::sort(values.begin(), values.end());
  std::vector<float> distinct = values;
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  if (distinct.size() < static_cast<std::size_t>(count)) {
    const auto place = std::lower_bound(distinct.begin(), distinct.end(), 0.0f);
    if (place == distinct.end() || *place != 0) distinct.insert(place, 0.0f);
    return {distinct.begin(), distinct.end()};
  }
  std::vector<double> centroids =
      first_centroids(distinct, static_cast<std::size_t>(count), init, random);
  const std::size_t zero = pin_zero(centroids);
  for (int iteration = 0; iteration < kIterations; ++iteration)
    move_to_means(values, zero, centroids);
  return centroids;
}

std::size_t nearest_centroid(double v, std::span<const double> centroids) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < centroids.size(); ++k) {
    if (std::fabs(v - centroids[k]) < std::fabs(v - centroids[best])) best = k;
  }
  return best;
}

}  // namespace pare
