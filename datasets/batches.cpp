// One loop fills a batch: tiles of images, each image through the augmenter and the tables.
#include "datasets/batches.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/random.h"

namespace pare {
namespace {

constexpr std::int64_t kTile = 16;  // images per piece of parallel work

std::span<const std::uint8_t> image_at(const Images& images, std::int64_t i) {
  const auto size = static_cast<std::size_t>(images.shape.size());
  return std::span(images.pixels).subspan(static_cast<std::size_t>(i) * size, size);
}

void to_floats(std::span<const std::uint8_t> bytes, const std::vector<PixelValues>& values,
               float* out) {
  const std::size_t channels = values.size();
  if (channels == 1) {
    for (const std::uint8_t byte : bytes) *out++ = values[0][byte];
    return;
  }
  for (std::size_t i = 0; i < bytes.size(); i += channels) {
    for (std::size_t c = 0; c < channels; ++c) *out++ = values[c][bytes[i + c]];
  }
}

// `random_for(position)` starts the randomness of one image.
template <class RandomFor>
Batch fill(const Images& images, const std::vector<PixelValues>& values,
           std::span<const std::int32_t> positions, std::span<const Augmentation> augment,
           const RandomFor& random_for) {
  const auto count = static_cast<std::int64_t>(positions.size());
  PARE_ENSURE(static_cast<std::int64_t>(values.size()) == images.shape[-1]);
  Batch batch{Tensor({count, images.shape[0], images.shape[1], images.shape[2]}), {}};
  batch.labels.resize(positions.size());
  float* const out = batch.images.mutable_data();
  parallel_tiles(count, kTile, [&](std::int64_t begin, std::int64_t end) {
    Augmenter augmenter(images.shape, augment);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int32_t position = positions[static_cast<std::size_t>(i)];
      const auto bytes = augmenter.apply(image_at(images, position), random_for(position));
      to_floats(bytes, values, out + i * images.shape.size());
      batch.labels[static_cast<std::size_t>(i)] = images.labels[static_cast<std::size_t>(position)];
    }
  });
  return batch;
}

}  // namespace

Batches::Batches(const Images& images, std::vector<PixelValues> values, std::int64_t batch_size,
                 std::uint64_t seed, std::vector<Augmentation> augment)
    : images_(images),
      values_(std::move(values)),
      batch_size_(std::min(batch_size, images.count())),
      seed_(seed),
      augment_(std::move(augment)) {
  PARE_ENSURE(batch_size_ > 0);
}

std::int64_t Batches::per_epoch() const { return images_.count() / batch_size_; }

Batch Batches::get(std::int64_t epoch, std::int64_t index) {
  PARE_ENSURE(epoch >= 0 && index >= 0 && index < per_epoch());
  const auto round = static_cast<std::uint64_t>(epoch);
  if (epoch != ordered_epoch_) {
    order_ = permutation(images_.count(), Random(seed_, Stream::shuffle, round));
    ordered_epoch_ = epoch;
  }
  const auto positions = std::span<const std::int32_t>(order_).subspan(
      static_cast<std::size_t>(index * batch_size_), static_cast<std::size_t>(batch_size_));
  return fill(images_, values_, positions, augment_, [&](std::int32_t position) {
    return Random(seed_, Stream::augment, round, static_cast<std::uint64_t>(position));
  });
}

Batch batch_in_order(const Images& images, const std::vector<PixelValues>& values,
                     std::int64_t first, std::int64_t count) {
  PARE_ENSURE(first >= 0 && first < images.count() && count > 0);
  std::vector<std::int32_t> positions(
      static_cast<std::size_t>(std::min(count, images.count() - first)));
  std::iota(positions.begin(), positions.end(), static_cast<std::int32_t>(first));
  return batch_of(images, values, positions);
}

Batch batch_of(const Images& images, const std::vector<PixelValues>& values,
               std::span<const std::int32_t> positions) {
  return fill(images, values, positions, {},
              [](std::int32_t) { return Random(0, Stream::augment); });
}

}  // namespace pare
