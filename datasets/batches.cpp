// One loop fills a batch: tiles of images, each image through the augmenter and the tables.
//
// A batch is not assembled ahead of time beside the running step: all threads do it together
// between two steps (docs/decisions.md).
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

template <class Pixel>
std::span<const Pixel> image_at(const std::vector<Pixel>& pixels, std::int64_t size,
                                std::int64_t i) {
  return std::span(pixels).subspan(static_cast<std::size_t>(i * size),
                                   static_cast<std::size_t>(size));
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

void to_floats(std::span<const float> floats, const std::vector<PixelValues>&, float* out) {
  std::copy(floats.begin(), floats.end(), out);
}

// Makes room for `count` images. Memory that nobody else holds is used again.
void prepare(Batch& batch, const Images& images, std::int64_t count) {
  const Shape shape = {count, images.shape[0], images.shape[1], images.shape[2]};
  if (!batch.images.unique() || batch.images.shape() != shape) {
    batch.images = Tensor();  // back to the pool before the next one is taken
    batch.images = Tensor(shape);
  }
  batch.labels.resize(static_cast<std::size_t>(count));
}

void require_tables(const Images& images, const std::vector<PixelValues>& values) {
  PARE_ENSURE(std::ssize(values) == (images.are_floats() ? 0 : images.shape[-1]));
}

// Image position(i) goes to place i, after change(tile, image, position).
template <class Pixel, class Position, class Change>
void fill(const Images& images, const std::vector<Pixel>& pixels,
          const std::vector<PixelValues>& values, const Position& position, const Change& change,
          Batch& batch) {
  const std::int64_t size = images.shape.size();
  float* const out = batch.images.mutable_data();
  parallel_tiles(batch.count(), kTile, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t at = position(i);
      to_floats(change(begin / kTile, image_at(pixels, size, at), at), values, out + i * size);
      batch.labels[static_cast<std::size_t>(i)] = images.labels[static_cast<std::size_t>(at)];
    }
  });
}

template <class Position>
Batch plain_batch(const Images& images, const std::vector<PixelValues>& values, std::int64_t count,
                  const Position& position) {
  require_tables(images, values);
  Batch batch;
  prepare(batch, images, count);
  const auto as_it_stands = [](std::int64_t, auto image, std::int64_t) { return image; };
  if (images.are_floats()) {
    fill(images, images.values, values, position, as_it_stands, batch);
  } else {
    fill(images, images.pixels, values, position, as_it_stands, batch);
  }
  return batch;
}

template <class Pixel>
std::vector<Augmenter<Pixel>> make_augmenters(const Images& images, std::int64_t batch_size,
                                              std::span<const Augmentation> augment,
                                              std::span<const Pixel> fill) {
  std::vector<Augmenter<Pixel>> augmenters;
  for (std::int64_t begin = 0; begin < batch_size; begin += kTile)
    augmenters.emplace_back(images.shape, augment, fill);
  return augmenters;
}

const std::vector<std::uint8_t>& pixels_of(const Images& images,
                                           const std::vector<Augmenter<std::uint8_t>>&) {
  return images.pixels;
}
const std::vector<float>& pixels_of(const Images& images, const std::vector<Augmenter<float>>&) {
  return images.values;
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
  require_tables(images, values_);
  if (images.are_floats()) {
    augmenters_ = make_augmenters<float>(images, batch_size_, augment_, images.fill);
  } else {
    augmenters_ = make_augmenters<std::uint8_t>(images, batch_size_, augment_, {});
  }
}

std::int64_t Batches::per_epoch() const { return images_.count() / batch_size_; }

const Batch& Batches::get(std::int64_t epoch, std::int64_t index) {
  PARE_ENSURE(epoch >= 0 && index >= 0 && index < per_epoch());
  const auto round = static_cast<std::uint64_t>(epoch);
  if (epoch != ordered_epoch_) {
    order_.resize(static_cast<std::size_t>(images_.count()));
    permute(order_, Random(seed_, Stream::shuffle, round));
    ordered_epoch_ = epoch;
  }
  prepare(batch_, images_, batch_size_);
  const auto position = [&](std::int64_t i) {
    return std::int64_t{order_[static_cast<std::size_t>(index * batch_size_ + i)]};
  };
  const auto fill_augmented = [&](auto& augmenters) {
    const auto augmented = [&](std::int64_t tile, auto image, std::int64_t at) {
      return augmenters[static_cast<std::size_t>(tile)].apply(
          image, Random(seed_, Stream::augment, round, static_cast<std::uint64_t>(at)));
    };
    fill(images_, pixels_of(images_, augmenters), values_, position, augmented, batch_);
  };
  std::visit(fill_augmented, augmenters_);
  return batch_;
}

Batch batch_in_order(const Images& images, const std::vector<PixelValues>& values,
                     std::int64_t first, std::int64_t count) {
  PARE_ENSURE(first >= 0 && first < images.count() && count > 0);
  return plain_batch(images, values, std::min(count, images.count() - first),
                     [&](std::int64_t i) { return first + i; });
}

Batch batch_of(const Images& images, const std::vector<PixelValues>& values,
               std::span<const std::int32_t> positions) {
  return plain_batch(images, values, std::ssize(positions), [&](std::int64_t i) {
    return std::int64_t{positions[static_cast<std::size_t>(i)]};
  });
}

}  // namespace pare
