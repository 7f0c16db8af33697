// Sizes first, bytes second, for both kinds of file.
#include "datasets/data_file.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "framework/base/error.h"
#include "framework/base/file.h"

namespace pare {
namespace {

// A deflate stream cannot grow by more (258 bytes from 2 bits); rounded up.
constexpr std::uint64_t kLargestGrowth = 1032;

}  // namespace

DataFile::DataFile(std::string path) : path_(std::move(path)), bytes_(read_file(path_, kLargest)) {
  if (is_gzip(bytes_)) gzip_.emplace(bytes_, path_);
}

std::size_t DataFile::read(std::span<std::uint8_t> out) {
  std::size_t count = 0;
  if (gzip_) {
    count = gzip_->read(out);
  } else {
    count = std::min<std::size_t>(out.size(), bytes_.size() - offset_);
    if (count > 0) std::memcpy(out.data(), bytes_.data() + offset_, count);
  }
  offset_ += count;
  return count;
}

std::uint64_t DataFile::at_most() const {
  const std::uint64_t whole = gzip_ ? bytes_.size() * kLargestGrowth : bytes_.size();
  return whole - std::min(whole, offset_);
}

void DataFile::wrong_size(std::uint64_t expected, const std::string& got) const {
  throw DataError(path_ + ": expected " + std::to_string(expected) +
                  " bytes (by its header), got " + got + "; copy or download it again");
}

void DataFile::promise(std::uint64_t size) const {
  const std::uint64_t expected = offset_ + size;
  if (!gzip_ && size != at_most()) wrong_size(expected, std::to_string(bytes_.size()));
  if (gzip_ && size > at_most()) {
    wrong_size(expected,
               "a gzip stream of " + std::to_string(bytes_.size()) + ", too short for that");
  }
}

void DataFile::read_last(std::span<std::uint8_t> out) {
  promise(out.size());
  const std::uint64_t expected = offset_ + out.size();
  if (read(out) < out.size())
    wrong_size(expected, std::to_string(offset_) + " after decompression");
  // One byte more than allowed is enough to know that there are too many.
  std::array<std::uint8_t, 1> more{};
  if (read(more) > 0) wrong_size(expected, "more after decompression");
}

std::vector<std::uint8_t> DataFile::read_last(std::uint64_t size) {
  promise(size);
  std::vector<std::uint8_t> out(size);
  read_last(out);
  return out;
}

}  // namespace pare
