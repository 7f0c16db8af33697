// Types and shapes checked from the headers, values read straight to where they stay.
#include "datasets/npy.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "datasets/data_file.h"
#include "datasets/labels.h"
#include "datasets/npy_header.h"
#include "framework/base/error.h"

namespace pare {
namespace {

static_assert(std::endian::native == std::endian::little, "values are read as they lie");

template <class T>
std::vector<T> read_values(DataFile& file, const NpyHeader& header) {
  const std::uint64_t count = header.count();
  file.promise(count * sizeof(T));
  std::vector<T> values(count);
  file.read_last({reinterpret_cast<std::uint8_t*>(values.data()), count * sizeof(T)});
  return values;
}

// Values that no label can have become one that require_labels complains about.
template <class T>
std::vector<std::int32_t> read_as_labels(DataFile& file, const NpyHeader& header) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  const std::vector<T> values = read_values<T>(file, header);
  std::vector<std::int32_t> labels;
  labels.reserve(values.size());
  for (const T value : values) {
    labels.push_back(static_cast<std::int32_t>(
        std::clamp<std::int64_t>(static_cast<std::int64_t>(value), -kMost, kMost)));
  }
  return labels;
}

std::vector<std::int32_t> read_npy_labels(const std::string& path) {
  DataFile file(path);
  const NpyHeader header = read_npy_header(file);
  if (header.extents.size() != 1) {
    throw DataError(path + ": expected labels [n], got " + header.shape() + "; save y.reshape(-1)");
  }
  if (header.type == "|u1") return read_as_labels<std::uint8_t>(file, header);
  if (header.type == "<i4") return read_as_labels<std::int32_t>(file, header);
  if (header.type == "<i8") return read_as_labels<std::int64_t>(file, header);
  throw DataError(path + ": expected labels of uint8, int32 or int64 ('|u1', '<i4', '<i8'), got '" +
                  header.type + "'; save y.astype('int64')");
}

void require_finite(std::span<const float> values, const std::string& path) {
  const auto bad =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (bad == values.end()) return;
  throw DataError(path + ": value " + std::to_string(bad - values.begin()) +
                  " is not finite; expected numbers");
}

void read_pixels(DataFile& file, const NpyHeader& header, Images& images) {
  if (header.type == "|u1") {
    images.pixels = read_values<std::uint8_t>(file, header);
  } else if (header.type == "<f4") {
    images.values = read_values<float>(file, header);
    require_finite(images.values, file.path());
  } else {
    throw DataError(file.path() + ": expected images of uint8 or float32 ('|u1', '<f4'), got '" +
                    header.type + "'; save x.astype('float32')");
  }
}

}  // namespace

Images read_npy_images(const std::string& images_path, const std::string& labels_path) {
  DataFile file(images_path);
  const NpyHeader header = read_npy_header(file);
  const std::vector<std::int64_t>& e = header.extents;
  if (e.size() != 3 && e.size() != 4) {
    throw DataError(images_path +
                    ": expected images [n, height, width] or [n, height, width, channels], got " +
                    header.shape());
  }
  if (header.count() == 0) {
    throw DataError(images_path + ": expected at least one pixel, got " + header.shape());
  }
  Images images;
  images.shape = {e[1], e[2], e.size() == 4 ? e[3] : 1};
  images.labels = read_npy_labels(labels_path);
  if (images.count() != e[0]) {
    throw DataError(images_path + " has " + std::to_string(e[0]) + " images, " + labels_path +
                    " has " + std::to_string(images.count()) +
                    " labels: expected as many; do they belong together?");
  }
  require_labels(images.labels, kMostClasses, labels_path);
  read_pixels(file, header, images);
  return images;
}

}  // namespace pare
