// An image as kernels read it (ImageJob). Include behind the target pragma.
#pragma once

#include <cstdint>
#include <cstring>

#include "compression/integer/kernels/kernel_set.h"
#include "compression/integer/kernels/packed_layer.h"
#include "compression/integer/kernels/pixel_map.h"

namespace pare::integer {

template <class Isa>
class ImageWriter {
 public:
  explicit ImageWriter(const ImageJob& job)
      : out_(job.image), repeat_(job.repeat), fill_(job.zero_point + Isa::kInputOffset) {}

  // Few bytes are a whole vector: what comes next, or the slack behind the image, takes the rest.
  void pad(std::int64_t count) {
    const auto bytes = static_cast<std::size_t>(count * repeat_);
    if (bytes <= kImageSlack) {
      std::memset(out_, fill_, kImageSlack);
    } else {
      std::memset(out_, fill_, bytes);
    }
    out_ += bytes;
  }

  void copy(const std::int8_t* codes, std::int64_t count) {
    if (repeat_ == 1) {
      for (std::int64_t i = 0; i < count; ++i)
        out_[i] = static_cast<std::uint8_t>(codes[i] + Isa::kInputOffset);
    } else {
      const auto repeat = static_cast<std::size_t>(repeat_);
      for (std::int64_t i = 0; i < count; ++i)
        std::memset(out_ + i * repeat_, codes[i] + Isa::kInputOffset, repeat);
    }
    out_ += count * repeat_;
  }

  // For each byte but those of the last three rows: itself and the three below.
  void stack_rows(const ImageJob& job, std::int64_t row_bytes) const {
    const std::int64_t count = out_ - job.image - (kEntryTaps - 1) * row_bytes;
    const std::uint8_t* const from = job.image;
    std::uint8_t* const to = job.image + job.stack;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint32_t low = from[i] | from[i + row_bytes] << 8;
      const std::uint32_t high = from[i + 2 * row_bytes] | from[i + 3 * row_bytes] << 8;
      const std::uint32_t four = low | high << 16;
      std::memcpy(to + kEntryTaps * i, &four, sizeof four);
    }
  }

  void copy_as_words(const ImageJob& job) const {
    if (job.words == nullptr) return;
    const std::int64_t count = out_ - job.image;
    for (std::int64_t i = 0; i < count; ++i) job.words[i] = job.image[i];
  }

 private:
  std::uint8_t* out_;
  const std::int64_t repeat_;
  const std::int32_t fill_;
};

template <class Isa>
void load_image(const ImageJob& job) {
  ImageWriter<Isa> image(job);
  const std::int64_t width = job.left + job.width + job.right;
  image.pad(job.top * width + job.left);
  if (job.left + job.right == 0) {
    image.copy(job.codes, job.height * job.width);
  } else {
    for (std::int64_t y = 0; y < job.height; ++y) {
      if (y > 0) image.pad(job.right + job.left);
      image.copy(job.codes + y * job.width, job.width);
    }
  }
  image.pad(job.right + job.bottom * width);
  image.copy_as_words(job);
  if (job.stack > 0) image.stack_rows(job, width);
}

}  // namespace pare::integer
