// The readers of data sets. What they accept must be images with one label each.
#include <algorithm>
#include <array>

#include "datasets/cifar.h"
#include "datasets/idx.h"
#include "datasets/npy.h"
#include "framework/base/error.h"
#include "tests/fuzz/input.h"

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
  try {
    require_images(read(first.put(a), second.put(b)), 65'536);
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
  try {
    require_images(read_cifar(std::span(paths).first(1 + mode / 128), format), format.classes);
  } catch (const DataError&) {
  }
}

}  // namespace pare::fuzz
