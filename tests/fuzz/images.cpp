// What infer classifies: IDX, PGM, PPM and CIFAR's records, plain or compressed, and label files.
#include "apps/infer/images.h"

#include "framework/base/error.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/limit.h"

namespace pare::fuzz {

void images(Bytes bytes) {
  static MemoryFile file;
  const auto [mode, rest] = choice(bytes);
  file.put(rest);
  const MemoryLimit limit("reading images", kStreams + 8 * content_of(rest));
  try {
    if (mode % 4 == 3) {
      infer::read_labels(file.path());
      return;
    }
    const infer::ImageFile read = infer::read_images(file.path());
    require(read.count() * read.height * read.width * read.channels ==
            std::ssize(read.pixels));
    require(read.labels.empty() || std::ssize(read.labels) == read.count());
  } catch (const DataError&) {
  }
}

}  // namespace pare::fuzz
