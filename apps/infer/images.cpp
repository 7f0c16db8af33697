#include "apps/infer/images.h"

#include <algorithm>
#include <charconv>

#include "apps/infer/inflated.h"
#include "framework/base/error.h"
#include "framework/base/file.h"

namespace pare::infer {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::int64_t kLargestExtent = 1 << 28;
constexpr std::uint32_t kIdxBytes = 0x08;  // the only element type that images and labels have
constexpr std::int64_t kCifarSide = 32, kCifarChannels = 3;
constexpr std::size_t kCifarPixels = kCifarSide * kCifarSide * kCifarChannels;
constexpr std::uint64_t kMostRecords = 60'000;  // images of a compressed file of CIFAR's records

std::uint8_t byte_at(const Bytes& bytes, std::size_t i) {
  return static_cast<std::uint8_t>(bytes[i]);
}

bool is_idx(const Bytes& bytes) {
  return bytes.size() >= 4 && byte_at(bytes, 0) == 0 && byte_at(bytes, 1) == 0 &&
         byte_at(bytes, 2) == kIdxBytes;
}

bool is_pnm(const Bytes& bytes) {
  return bytes.size() >= 2 && byte_at(bytes, 0) == 'P' &&
         (byte_at(bytes, 1) == '5' || byte_at(bytes, 1) == '6');
}

struct Idx {
  std::vector<std::int64_t> extents;
  std::vector<std::uint8_t> values;
};

// The extents; the reader stands behind them.
Idx read_idx_header(ByteReader& reader, std::int64_t& size) {
  const std::uint32_t magic = reader.u32_big_endian();
  const std::uint32_t rank = magic & 0xff;
  if (magic >> 8 != kIdxBytes || rank < 1 || rank > 4)
    reader.fail("expected an IDX file of unsigned bytes, rank 1 to 4");
  Idx idx;
  size = 1;
  for (std::uint32_t i = 0; i < rank; ++i) {
    idx.extents.push_back(reader.u32_big_endian());
    if (idx.extents.back() < 1 || idx.extents.back() > kLargestExtent)
      reader.fail("an extent makes no sense");
    size *= idx.extents.back();
    if (size > kLargestExtent * 8) reader.fail("the extents make no sense together");
  }
  return idx;
}

// Believed only where the size is exactly what the extents say.
Idx read_idx(const Bytes& bytes, const std::string& path) {
  ByteReader reader(bytes, path);
  std::int64_t size = 0;
  Idx idx = read_idx_header(reader, size);
  const auto values = reader.bytes(static_cast<std::uint64_t>(size));
  reader.expect_end();
  idx.values.resize(values.size());
  std::transform(values.begin(), values.end(), idx.values.begin(),
                 [](std::byte b) { return static_cast<std::uint8_t>(b); });
  return idx;
}

ImageFile idx_images(const Bytes& bytes, const std::string& path) {
  Idx idx = read_idx(bytes, path);
  if (idx.extents.size() < 3)
    throw DataError(path + ": expected images (IDX of rank 3 or 4), got rank " +
                    std::to_string(idx.extents.size()) + "; labels go to --labels");
  ImageFile file;
  file.height = idx.extents[1];
  file.width = idx.extents[2];
  file.channels = idx.extents.size() == 4 ? idx.extents[3] : 1;
  file.pixels = std::move(idx.values);
  return file;
}

// The header of a PGM or PPM: numbers between white space, comments from '#' to the end of a line.
class PnmHeader {
 public:
  PnmHeader(const Bytes& bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  std::int64_t number() {
    skip_space();
    std::int64_t value = 0;
    const std::size_t first = at_;
    for (; at_ < bytes_.size() && byte_at(bytes_, at_) >= '0' && byte_at(bytes_, at_) <= '9';
         ++at_) {
      value = value * 10 + (byte_at(bytes_, at_) - '0');
      if (value > kLargestExtent) fail();
    }
    if (at_ == first) fail();
    return value;
  }
  // Where the pixels begin: one white space after the last number.
  std::size_t end() const { return at_ + 1; }
  [[noreturn]] void fail() const {
    throw DataError(path_ + ": expected a binary PGM or PPM with 8 bits (\"P5 width height 255\")");
  }

 private:
  void skip_space() {
    for (bool comment = false; at_ < bytes_.size(); ++at_) {
      const std::uint8_t c = byte_at(bytes_, at_);
      if (c == '#') comment = true;
      if (comment) {
        comment = c != '\n';
      } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
        return;
      }
    }
  }

  const Bytes& bytes_;
  const std::string& path_;
  std::size_t at_ = 2;
};

// Sides and channels; `pixels_at` is where the pixels begin.
ImageFile pnm_header(const Bytes& bytes, const std::string& path, std::size_t& pixels_at) {
  PnmHeader header(bytes, path);
  ImageFile file;
  file.width = header.number();
  file.height = header.number();
  file.channels = byte_at(bytes, 1) == '6' ? 3 : 1;
  if (header.number() != 255 || file.width < 1 || file.height < 1) header.fail();
  pixels_at = header.end();
  return file;
}

ImageFile pnm_image(const Bytes& bytes, const std::string& path) {
  std::size_t begin = 0;
  ImageFile file = pnm_header(bytes, path, begin);
  const auto size = static_cast<std::size_t>(file.width * file.height * file.channels);
  if (bytes.size() != begin + size) {
    throw DataError(path + ": expected " + std::to_string(size) +
                    " bytes of pixels after the header, got " +
                    std::to_string(bytes.size() - std::min(bytes.size(), begin)));
  }
  for (std::size_t i = begin; i < bytes.size(); ++i) file.pixels.push_back(byte_at(bytes, i));
  return file;
}

// Records of labels (the last one counts: CIFAR-100 writes the coarse one first) and planes of red,
// green, blue.
ImageFile cifar_images(const Bytes& bytes, std::size_t label_bytes) {
  ImageFile file{.height = kCifarSide,
                 .width = kCifarSide,
                 .channels = kCifarChannels,
                 .pixels = {},
                 .labels = {}};
  constexpr std::size_t kPlane = kCifarSide * kCifarSide;
  for (std::size_t record = 0; record < bytes.size(); record += label_bytes + kCifarPixels) {
    file.labels.push_back(byte_at(bytes, record + label_bytes - 1));
    for (std::size_t i = 0; i < kCifarPixels; ++i) {
      file.pixels.push_back(byte_at(bytes, record + label_bytes + i % 3 * kPlane + i / 3));
    }
  }
  return file;
}

std::uint64_t implied_size(const Bytes& start, const std::string& path) {
  if (is_idx(start)) {
    ByteReader reader(start, path);
    std::int64_t size = 0;
    read_idx_header(reader, size);
    return reader.offset() + static_cast<std::uint64_t>(size);
  }
  if (is_pnm(start)) {
    std::size_t begin = 0;
    const ImageFile file = pnm_header(start, path, begin);
    return begin + static_cast<std::uint64_t>(file.width * file.height * file.channels);
  }
  return kMostRecords * (kCifarPixels + 2);
}

Bytes read_bytes(const std::string& path) {
  return read_inflated(path, [&](const Bytes& start) { return implied_size(start, path); });
}

}  // namespace

std::int64_t ImageFile::count() const {
  return static_cast<std::int64_t>(pixels.size()) / (height * width * channels);
}

ImageFile read_images(const std::string& path) {
  const Bytes bytes = read_bytes(path);
  if (is_idx(bytes)) return idx_images(bytes, path);
  if (is_pnm(bytes)) return pnm_image(bytes, path);
  for (const std::size_t label_bytes : {std::size_t{1}, std::size_t{2}}) {
    if (!bytes.empty() && bytes.size() % (kCifarPixels + label_bytes) == 0)
      return cifar_images(bytes, label_bytes);
  }
  throw DataError(path +
                  ": expected images as IDX (plain or .gz), PGM, PPM or CIFAR's binary records");
}

std::vector<std::int32_t> read_labels(const std::string& path) {
  const Idx idx = read_idx(read_bytes(path), path);
  if (idx.extents.size() != 1) {
    throw DataError(path + ": expected labels (IDX of rank 1), got rank " +
                    std::to_string(idx.extents.size()));
  }
  return {idx.values.begin(), idx.values.end()};
}

}  // namespace pare::infer
