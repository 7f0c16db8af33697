// Quotas per class by largest remainder, then a random choice inside each class.
#include "datasets/split.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/base/error.h"
#include "framework/random.h"

namespace pare {
namespace {

// Positions of the images of each class, ascending.
std::vector<std::vector<std::size_t>> members_of_classes(const Images& images, int classes) {
  std::vector<std::vector<std::size_t>> members(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < images.labels.size(); ++i) {
    members[static_cast<std::size_t>(images.labels[i])].push_back(i);
  }
  return members;
}

// How many of each class: floor(size * count / total), and one more where the remainder is largest
// (ties: the lower class). Integers throughout.
std::vector<std::size_t> quotas(const std::vector<std::vector<std::size_t>>& members,
                                std::size_t count, std::size_t total) {
  std::vector<std::size_t> quota(members.size()), by_remainder(members.size());
  std::size_t given = 0;
  for (std::size_t c = 0; c < members.size(); ++c) {
    quota[c] = members[c].size() * count / total;
    given += quota[c];
    by_remainder[c] = c;
  }
  const auto remainder = [&](std::size_t c) { return members[c].size() * count % total; };
  std::stable_sort(by_remainder.begin(), by_remainder.end(),
                   [&](std::size_t a, std::size_t b) { return remainder(a) > remainder(b); });
  for (std::size_t i = 0; given < count; ++i, ++given) ++quota[by_remainder[i]];
  return quota;
}

template <class Pixel>
void append_pixels(std::vector<Pixel>& to, const std::vector<Pixel>& from, std::size_t i,
                   std::int64_t size) {
  if (from.empty()) return;
  const auto begin = from.begin() + static_cast<std::ptrdiff_t>(i) * size;
  to.insert(to.end(), begin, begin + size);
}

void append_image(Images& to, const Images& from, std::size_t i) {
  append_pixels(to.pixels, from.pixels, i, from.shape.size());
  append_pixels(to.values, from.values, i, from.shape.size());
  to.labels.push_back(from.labels[i]);
}

Images none_like(const Images& images) {
  Images none;
  none.shape = images.shape;
  none.fill = images.fill;
  return none;
}

}  // namespace

std::int64_t validation_count(double validation, std::int64_t images) {
  const double wanted =
      validation < 1 ? std::floor(validation * static_cast<double>(images) + 0.5) : validation;
  if (wanted >= static_cast<double>(images)) {
    const double shown = std::min(wanted, 1e15);  // a config's number may be beyond any integer
    throw ConfigError("dataset.validation: expected fewer than the " + std::to_string(images) +
                      " training images, got " + std::to_string(static_cast<std::int64_t>(shown)) +
                      "; a fraction such as 0.1 fits any number");
  }
  return static_cast<std::int64_t>(wanted);
}

Split split_validation(Images images, std::int64_t count, int classes, std::uint64_t seed) {
  PARE_ENSURE(count >= 0 && count < images.count());
  Split split;
  split.validation = none_like(images);
  if (count == 0) {
    split.train = std::move(images);
    return split;
  }
  split.train = none_like(images);
  const auto members = members_of_classes(images, classes);
  const auto quota = quotas(members, static_cast<std::size_t>(count), images.labels.size());
  std::vector<bool> chosen(images.labels.size(), false);
  for (std::size_t c = 0; c < members.size(); ++c) {
    const auto order =
        permutation(static_cast<std::int64_t>(members[c].size()), Random(seed, Stream::split, c));
    for (std::size_t i = 0; i < quota[c]; ++i)
      chosen[members[c][static_cast<std::size_t>(order[i])]] = true;
  }
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    append_image(chosen[i] ? split.validation : split.train, images, i);
  }
  return split;
}

void keep_first(Images& images, std::int64_t limit) {
  if (limit >= images.count()) return;
  images.labels.resize(static_cast<std::size_t>(limit));
  const auto size = static_cast<std::size_t>(limit * images.shape.size());
  if (images.are_floats()) {
    images.values.resize(size);
  } else {
    images.pixels.resize(size);
  }
}

}  // namespace pare
