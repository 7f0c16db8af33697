// The readers of data sets. What they accept must be images with one label each; a byte is there at
// most eight times while they read.
#include <algorithm>
#include <array>

#include "datasets/cifar.h"
#include "datasets/idx.h"
#include "datasets/npy.h"
#include "framework/base/error.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/limit.h"

namespace pare::fuzz {
namespace {

void require_images(const Images& images, int classes) {
  const auto count = static_cast<std::size_t>(images.count());
  const auto size = static_cast<std::size_t>(images.shape.size());
  require(count > 0 && images.labels.size() == count);
  require(std::max(images.pixels.size(), images.values.size()) == count * size);
  require(std::min(images.pixels.size(), images.values.size()) == 0);
  require(std::ranges::all_of(images.labels,
                              [&](std::int32_t label) { return label >= 0 && label < classes; }));
}

template <class Read>
void pair_of_files(Bytes bytes, const Read& read) {
  static MemoryFile first, second;
  const auto [a, b] = two_files(bytes);
  const std::string &path_a = first.put(a), &path_b = second.put(b);
  const MemoryLimit limit("reading a pair of files",
                          kStreams + 8 * (content_of(a) + content_of(b)));
  try {
    require_images(read(path_a, path_b), 65'536);
  } catch (const DataError&) {
  }
}

}  // namespace

void idx(Bytes bytes) {
  pair_of_files(bytes, [](const std::string& labels, const std::string& images) {
    return read_idx_images(images, labels, 0);
  });
}

void npy(Bytes bytes) {
  pair_of_files(bytes, [](const std::string& labels, const std::string& images) {
    return read_npy_images(images, labels);
  });
}

void cifar(Bytes bytes) {
  static MemoryFile file;
  const auto [mode, rest] = choice(bytes);
  const CifarFormat format = mode % 2 == 0 ? CifarFormat{1, 10, 2} : CifarFormat{2, 100, 2};
  const std::array<std::string, 2> paths = {file.put(rest), file.path()};
  const std::size_t count = 1 + mode / 128;
  const MemoryLimit limit("reading CIFAR", kStreams + 8 * count * content_of(rest));
  try {
    require_images(read_cifar(std::span(paths).first(count), format), format.classes);
  } catch (const DataError&) {
  }
}

}  // namespace pare::fuzz
