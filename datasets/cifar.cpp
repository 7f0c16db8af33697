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

// One byte more than the official file has is enough to know that there are too many.
std::vector<std::uint8_t> read_records(const std::string& path, std::size_t record,
                                       std::size_t most_records) {
  DataFile file(path);
  const std::size_t most = most_records * record;
  std::vector<std::uint8_t> bytes(std::min<std::size_t>(file.at_most(), most + 1));
  bytes.resize(file.read(bytes));
  if (bytes.empty() || bytes.size() % record != 0 || bytes.size() > most) {
    throw DataError(path + ": expected 1 to " + std::to_string(most_records) + " records of " +
                    std::to_string(record) + " bytes, got " +
                    (bytes.size() > most ? "more" : std::to_string(bytes.size()) + " bytes") +
                    "; copy or download it again");
  }
  return bytes;
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
    const auto bytes = read_records(path, record, format.most_records);
    const std::size_t before = images.labels.size(), count = bytes.size() / record;
    images.pixels.resize((before + count) * kPixels);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint8_t* at = bytes.data() + i * record;
      if (label_bytes == 2) require_coarse_label(*at, i, path);
      images.labels.push_back(at[label_bytes - 1]);
      to_pixels(at + label_bytes, images.pixels.data() + (before + i) * kPixels);
    }
    require_labels(std::span(images.labels).subspan(before), format.classes, path);
  }
  return images;
}

}  // namespace pare
