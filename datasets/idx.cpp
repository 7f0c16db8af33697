// Header, size equation, values: in this order.
#include "datasets/idx.h"

#include <algorithm>
#include <array>
#include <span>

#include "datasets/data_file.h"
#include "datasets/labels.h"
#include "framework/base/error.h"

namespace pare {
namespace {

const std::string kAgain = "; copy or download it again";

struct Header {
  std::vector<std::int64_t> extents;
  std::uint64_t values = 0;  // product of the extents
};

std::string magic_text(std::span<const std::uint8_t> bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text = "0x";
  for (const std::uint8_t b : bytes.first(4)) {
    text += digits[b >> 4];
    text += digits[b & 15];
  }
  return text;
}

// The magic number's last byte: how many extents follow.
std::size_t read_rank(DataFile& file) {
  std::array<std::uint8_t, 4> magic{};
  const std::size_t got = file.read(magic);
  if (got > 0 && magic[0] == '<') {
    throw DataError(file.path() +
                    ": expected an IDX file, got text that starts with '<': probably a web page "
                    "that was saved under this name; download it again");
  }
  if (got < magic.size()) {
    throw DataError(file.path() + ": expected an IDX file, got only " + std::to_string(got) +
                    " bytes" + kAgain);
  }
  const std::size_t rank = magic[3];
  if (magic[0] != 0 || magic[1] != 0 || magic[2] != 0x08 || rank < 1 || rank > 4) {
    throw DataError(file.path() +
                    ": expected the magic number of an IDX file of bytes (0x00000801 for labels, "
                    "0x00000803 for images), got " +
                    magic_text(magic));
  }
  return rank;
}

Header read_header(DataFile& file) {
  Header header;
  header.extents.resize(read_rank(file));
  header.values = 1;
  for (std::int64_t& extent : header.extents) {
    std::array<std::uint8_t, 4> bytes{};
    if (file.read(bytes) < bytes.size()) {
      throw DataError(file.path() + ": the file ends inside its header of " +
                      std::to_string(4 + 4 * header.extents.size()) + " bytes" + kAgain);
    }
    for (const std::uint8_t byte : bytes) extent = extent << 8 | byte;
    // Below 2^31 before and a factor below 2^32: no overflow.
    header.values *= static_cast<std::uint64_t>(extent);
    if (header.values > DataFile::kLargest) {
      throw DataError(file.path() + ": its header claims more than 2 GiB of values" + kAgain);
    }
  }
  return header;
}

}  // namespace

IdxArray read_idx(const std::string& path) {
  DataFile file(path);
  const Header header = read_header(file);
  return {header.extents, file.read_last(header.values)};
}

Images read_idx_images(const std::string& images_path, const std::string& labels_path,
                       int classes) {
  IdxArray pixels = read_idx(images_path);
  const IdxArray labels = read_idx(labels_path);
  const auto& e = pixels.extents;
  if (e.size() == 1) {
    throw DataError(images_path +
                    ": this is a label file (magic 0x00000801), expected images "
                    "(0x00000803); are the two files swapped?");
  }
  if (e.size() == 2) {
    throw DataError(images_path +
                    ": expected images [count, height, width] or [count, height, width, "
                    "channels], got 2 axes");
  }
  if (labels.extents.size() != 1) {
    throw DataError(
        labels_path + ": this is an image file (" + std::to_string(labels.extents.size()) +
        " axes), expected labels (magic 0x00000801, 1 axis); are the two files swapped?");
  }
  if (e[0] != labels.extents[0]) {
    throw DataError(images_path + " has " + std::to_string(e[0]) + " images, " + labels_path +
                    " has " + std::to_string(labels.extents[0]) +
                    " labels: expected as many; do they belong together?");
  }
  if (pixels.values.empty())
    throw DataError(images_path + ": expected at least one pixel, got none");
  Images images;
  images.shape = {e[1], e[2], e.size() == 4 ? e[3] : 1};
  images.pixels = std::move(pixels.values);
  images.labels.assign(labels.values.begin(), labels.values.end());
  if (classes > 0) require_labels(images.labels, classes, labels_path);
  return images;
}

}  // namespace pare
