// Bits into bytes and back, the first bit of a byte the lowest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace pare::integer {

class BitWriter {
 public:
  // value < 2^bits, bits <= 32.
  void write(std::uint32_t value, int bits) {
    waiting_ |= std::uint64_t{value} << count_;
    for (count_ += bits; count_ >= 8; count_ -= 8, waiting_ >>= 8) {
      bytes_.push_back(static_cast<std::byte>(waiting_ & 255));
    }
  }
  // The rest of the last byte is zero.
  std::vector<std::byte> take() {
    if (count_ > 0) bytes_.push_back(static_cast<std::byte>(waiting_));
    return std::move(bytes_);
  }

 private:
  std::vector<std::byte> bytes_;
  std::uint64_t waiting_ = 0;  // bits that fill no byte yet
  int count_ = 0;
};

// The caller makes sure that enough bits are left.
class BitReader {
 public:
  explicit BitReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::uint32_t read(int bits) {
    std::uint32_t value = 0;
    for (int i = 0; i < bits; ++i, ++used_) {
      value |= ((static_cast<std::uint32_t>(bytes_[used_ / 8]) >> (used_ % 8)) & 1) << i;
    }
    return value;
  }
  std::int64_t left() const { return std::ssize(bytes_) * 8 - static_cast<std::int64_t>(used_); }
  // Whether the rest of the last byte is zero.
  bool rest_is_zero() const {
    return used_ % 8 == 0 || (static_cast<std::uint32_t>(bytes_[used_ / 8]) >> (used_ % 8)) == 0;
  }

 private:
  std::span<const std::byte> bytes_;
  std::uint64_t used_ = 0;
};

inline std::int64_t bytes_for(std::int64_t bits) { return (bits + 7) / 8; }

}  // namespace pare::integer
