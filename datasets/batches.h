// From a split to the tensors that a step reads. Batch b of epoch e is a function of (seed, e, b)
// alone: nothing that matters is remembered between calls, so a resumed run, another order of calls
// or another number of threads gives the same bits.
//
// Pixels become floats through the tables of normalize.h; augmentation (training only) happens on
// the bytes before. Images of floats are normalised already and only augmented.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "datasets/augment.h"
#include "datasets/dataset.h"
#include "datasets/normalize.h"
#include "framework/tensor/tensor.h"

namespace pare {

struct Batch {
  Tensor images;                     // [count, height, width, channels], step memory
  std::vector<std::int32_t> labels;  // count
  std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
};

// Shuffled and augmented, for training. Images that do not fill the last batch of an epoch are left
// out of that epoch (every step has the same shape, and so the same memory); where there are fewer
// than one batch, all of them are it.
class Batches {
 public:
  // `images` must outlive the object. `values`: one table per channel, none for images of floats.
  Batches(const Images& images, std::vector<PixelValues> values, std::int64_t batch_size,
          std::uint64_t seed, std::vector<Augmentation> augment);
  Batches(const Batches&) = delete;
  Batches& operator=(const Batches&) = delete;

  std::int64_t per_epoch() const;
  // 0 <= index < per_epoch(). Valid until the next call, which reuses the memory where nobody holds
  // the tensor any more: a training loop allocates nothing here after its first steps.
  const Batch& get(std::int64_t epoch, std::int64_t index);

 private:
  const Images& images_;
  std::vector<PixelValues> values_;
  std::int64_t batch_size_;
  std::uint64_t seed_;
  std::vector<Augmentation> augment_;
  // One per tile of a batch, for the pixels that the images have.
  std::variant<std::vector<Augmenter<std::uint8_t>>, std::vector<Augmenter<float>>> augmenters_;
  std::int64_t ordered_epoch_ = -1;  // the epoch that order_ belongs to
  std::vector<std::int32_t> order_;
  Batch batch_;
};

// For evaluation: images first .. first+count-1 as they stand, cut off at the end of the split.
Batch batch_in_order(const Images& images, const std::vector<PixelValues>& values,
                     std::int64_t first, std::int64_t count);

// For calibration: the images at these positions, as they stand.
Batch batch_of(const Images& images, const std::vector<PixelValues>& values,
               std::span<const std::int32_t> positions);

}  // namespace pare
