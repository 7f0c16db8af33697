// Header, size equation, values: in this order, whether the bytes come straight from the file or
// through gzip.
#include "datasets/idx.h"

#include <algorithm>
#include <array>
#include <span>

#include "datasets/gzip.h"
#include "framework/base/error.h"
#include "framework/base/file.h"

namespace pare {
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 31;
constexpr std::size_t kLongestHeader = 4 + 4 * 4;
// A deflate stream cannot grow by more (258 bytes from 2 bits); rounded up.
constexpr std::uint64_t kLargestGrowth = 1032;
const std::string kAgain = "; copy or download it again";

struct Header {
  std::vector<std::int64_t> extents;
  std::uint64_t bytes = 0;   // of the header itself
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

// `start`: the first bytes of the (decompressed) file, as many of kLongestHeader as there are.
Header parse_header(std::span<const std::uint8_t> start, const std::string& path) {
  if (!start.empty() && start[0] == '<') {
    throw DataError(path +
                    ": expected an IDX file, got text that starts with '<': probably a web page "
                    "that was saved under this name; download it again");
  }
  if (start.size() < 4) {
    throw DataError(path + ": expected an IDX file, got only " + std::to_string(start.size()) +
                    " bytes" + kAgain);
  }
  const int rank = start[3];
  if (start[0] != 0 || start[1] != 0 || start[2] != 0x08 || rank < 1 || rank > 4) {
    throw DataError(path +
                    ": expected the magic number of an IDX file of bytes (0x00000801 for labels, "
                    "0x00000803 for images), got " +
                    magic_text(start));
  }
  Header header;
  header.bytes = 4 + 4 * static_cast<std::uint64_t>(rank);
  if (start.size() < header.bytes) {
    throw DataError(path + ": the file ends inside its header of " + std::to_string(header.bytes) +
                    " bytes" + kAgain);
  }
  header.values = 1;
  for (int axis = 0; axis < rank; ++axis) {
    std::uint64_t extent = 0;
    for (int i = 0; i < 4; ++i)
      extent = extent << 8 | start[static_cast<std::size_t>(4 + 4 * axis + i)];
    header.extents.push_back(static_cast<std::int64_t>(extent));
    // Below 2^31 before and a factor below 2^32: no overflow.
    header.values *= extent;
    if (header.values > kLargestFile) {
      throw DataError(path + ": its header claims more than 2 GiB of values" + kAgain);
    }
  }
  return header;
}

[[noreturn]] void wrong_size(const std::string& path, const Header& header,
                             const std::string& got) {
  throw DataError(path + ": expected " + std::to_string(header.bytes + header.values) +
                  " bytes (by its header), got " + got + kAgain);
}

IdxArray from_plain(std::span<const std::uint8_t> bytes, const std::string& path) {
  const Header header = parse_header(bytes.first(std::min(bytes.size(), kLongestHeader)), path);
  if (bytes.size() != header.bytes + header.values) {
    wrong_size(path, header, std::to_string(bytes.size()));
  }
  const auto values = bytes.subspan(header.bytes);
  return {header.extents, {values.begin(), values.end()}};
}

IdxArray from_gzip(std::span<const std::byte> bytes, const std::string& path) {
  GzipReader reader(bytes, path);
  std::array<std::uint8_t, kLongestHeader> start{};
  const std::size_t started = reader.read(start);
  const Header header = parse_header(std::span(start).first(started), path);
  const std::uint64_t total = header.bytes + header.values;
  if (total > bytes.size() * kLargestGrowth) {
    wrong_size(path, header,
               "a gzip stream of " + std::to_string(bytes.size()) + ", too short for that");
  }
  // One byte more than allowed is enough to know that there are too many.
  std::vector<std::uint8_t> all(total + 1);
  const std::size_t known = std::min<std::size_t>(started, all.size());
  std::copy_n(start.begin(), known, all.begin());
  const std::size_t got = started + reader.read(std::span(all).subspan(known));
  if (got > total) wrong_size(path, header, "more after decompression");
  if (got < total) wrong_size(path, header, std::to_string(got) + " after decompression");
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(header.bytes));
  all.resize(header.values);
  return {header.extents, std::move(all)};
}

void check_labels(const IdxArray& labels, int classes, const std::string& path) {
  if (classes == 0) return;
  const auto bad = std::find_if(labels.values.begin(), labels.values.end(),
                                [&](std::uint8_t label) { return label >= classes; });
  if (bad == labels.values.end()) return;
  throw DataError(path + ": label " + std::to_string(bad - labels.values.begin()) +
                  ": expected 0 to " + std::to_string(classes - 1) + ", got " +
                  std::to_string(*bad));
}

}  // namespace

IdxArray read_idx(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path, kLargestFile);
  if (is_gzip(bytes)) return from_gzip(bytes, path);
  return from_plain({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, path);
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
  check_labels(labels, classes, labels_path);
  Images images;
  images.shape = {e[1], e[2], e.size() == 4 ? e[3] : 1};
  images.pixels = std::move(pixels.values);
  images.labels.assign(labels.values.begin(), labels.values.end());
  return images;
}

}  // namespace pare
