// Records to images: planes of red, green and blue become pixels of three channels.
#include "datasets/cifar.h"

#include <algorithm>
#include <vector>

#include "datasets/data_file.h"
#include "datasets/labels.h"
#include "framework/base/error.h"

namespace pare {
namespace {

constexpr std::int64_t kSide = 32, kChannels = 3, kPlane = kSide * kSide;
constexpr std::size_t kPixels = kPlane * kChannels;
constexpr std::uint8_t kCoarseClasses = 20;

// Some records of a file at a time, each handed to `take`; returns how many there were. One byte
// more than the official file has is enough to know that there are too many.
template <class Take>
std::size_t read_records(const std::string& path, std::size_t record, std::size_t most_records,
                         const Take& take) {
  constexpr std::size_t kAtOnce = 256;
  DataFile file(path);
  const std::size_t most = most_records * record;
  std::vector<std::uint8_t> some(std::min<std::size_t>(file.at_most(), kAtOnce * record));
  std::size_t bytes = 0;
  for (std::size_t got = some.size(); got == some.size() && got > 0 && bytes <= most;
       bytes += got) {
    got = file.read(some);
    for (std::size_t at = 0; at + record <= got && bytes + at < most; at += record) {
      take(some.data() + at);
    }
  }
  if (bytes == 0 || bytes % record != 0 || bytes > most) {
    throw DataError(path + ": expected 1 to " + std::to_string(most_records) + " records of " +
                    std::to_string(record) + " bytes, got " +
                    (bytes > most ? "more" : std::to_string(bytes) + " bytes") +
                    "; copy or download it again");
  }
  return bytes / record;
}

void to_pixels(const std::uint8_t* planes, std::uint8_t* out) {
  for (std::int64_t pixel = 0; pixel < kPlane; ++pixel) {
    for (std::int64_t c = 0; c < kChannels; ++c) *out++ = planes[c * kPlane + pixel];
  }
}

void require_coarse_label(std::uint8_t label, std::size_t record, const std::string& path) {
  if (label < kCoarseClasses) return;
  throw DataError(path + ": coarse label " + std::to_string(record) + ": expected 0 to " +
                  std::to_string(kCoarseClasses - 1) + ", got " + std::to_string(label));
}

}  // namespace

Images read_cifar(std::span<const std::string> paths, const CifarFormat& format) {
  const auto label_bytes = static_cast<std::size_t>(format.label_bytes);
  const std::size_t record = label_bytes + kPixels;
  Images images;
  images.shape = {kSide, kSide, kChannels};
  for (const std::string& path : paths) {
    const std::size_t before = images.labels.size();
    std::size_t i = 0;
    const auto take = [&](const std::uint8_t* at) {
      if (label_bytes == 2) require_coarse_label(*at, i, path);
      images.labels.push_back(at[label_bytes - 1]);
      const std::size_t end = images.pixels.size();
      images.pixels.resize(end + kPixels);
      to_pixels(at + label_bytes, images.pixels.data() + end);
      ++i;
    };
    const std::size_t count = read_records(path, record, format.most_records, take);
    // A full first file: the others will be as large, and no growth needs twice the memory.
    if (before == 0 && count == format.most_records)
      images.pixels.reserve(paths.size() * count * kPixels);
    require_labels(std::span(images.labels).subspan(before), format.classes, path);
  }
  return images;
}

}  // namespace pare
