// Quotas per class by largest remainder, then a random choice inside each class.
#include "datasets/split.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "framework/base/error.h"
#include "framework/random.h"

namespace pare {
namespace {

// Positions of the images of each class, ascending.
std::vector<std::vector<std::size_t>> members_of_classes(std::span<const std::int32_t> labels,
                                                         int classes) {
  std::vector<std::vector<std::size_t>> members(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < labels.size(); ++i)
    members[static_cast<std::size_t>(labels[i])].push_back(i);
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

// Moves the values of the chosen images, `size` each, to `taken` and closes the gaps.
template <class Value>
void take_values(std::vector<Value>& from, const std::vector<bool>& chosen, std::int64_t size,
                 std::vector<Value>& taken) {
  if (from.empty()) return;
  auto to = from.begin();
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const auto begin = from.begin() + static_cast<std::ptrdiff_t>(i) * size;
    if (chosen[i]) {
      taken.insert(taken.end(), begin, begin + size);
    } else {
      to = std::copy(begin, begin + size, to);
    }
  }
  from.erase(to, from.end());
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

std::vector<bool> held_out(std::span<const std::int32_t> labels, std::int64_t count, int classes,
                           std::uint64_t seed) {
  PARE_ENSURE(count >= 0 && count < std::ssize(labels));
  const auto members = members_of_classes(labels, classes);
  const auto quota = quotas(members, static_cast<std::size_t>(count), labels.size());
  std::vector<bool> chosen(labels.size(), false);
  for (std::size_t c = 0; c < members.size(); ++c) {
    const auto order =
        permutation(static_cast<std::int64_t>(members[c].size()), Random(seed, Stream::split, c));
    for (std::size_t i = 0; i < quota[c]; ++i)
      chosen[members[c][static_cast<std::size_t>(order[i])]] = true;
  }
  return chosen;
}

Split split_validation(Images images, std::int64_t count, int classes, std::uint64_t seed) {
  Split split{.train = std::move(images), .validation = {}};
  Images& train = split.train;
  split.validation = none_like(train);
  if (count == 0) return split;
  const std::vector<bool> chosen = held_out(train.labels, count, classes, seed);
  // In place: a data set is the largest thing in memory.
  Images& validation = split.validation;
  const std::int64_t size = train.shape.size();
  validation.pixels.reserve(train.pixels.empty() ? 0 : static_cast<std::size_t>(count * size));
  validation.values.reserve(train.values.empty() ? 0 : static_cast<std::size_t>(count * size));
  take_values(train.pixels, chosen, size, validation.pixels);
  take_values(train.values, chosen, size, validation.values);
  take_values(train.labels, chosen, 1, validation.labels);
  return split;
}

Images first_images(const Images& images, std::int64_t limit) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(limit, images.count()));
  const auto first = [](const auto& values, std::ptrdiff_t n) {
    return std::decay_t<decltype(values)>(values.begin(),
                                          values.begin() + std::min(n, std::ssize(values)));
  };
  Images some = none_like(images);
  some.pixels = first(images.pixels, count * images.shape.size());
  some.values = first(images.values, count * images.shape.size());
  some.labels = first(images.labels, count);
  return some;
}

}  // namespace pare
