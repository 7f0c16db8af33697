#include "compression/integer/arithmetic_coder.h"

#include <algorithm>
#include <utility>

namespace pare::integer {
namespace {

constexpr std::uint32_t kOne = 65536;
constexpr std::uint32_t kLeast = 800;  // no bit is held to be less likely than 800 / 65536
constexpr std::uint32_t kMemory = 250;

// The last value of the lower part of [low, high], which a 1 selects.
std::uint32_t split(std::uint32_t low, std::uint32_t high, std::uint32_t probability) {
  return low + static_cast<std::uint32_t>((std::uint64_t{high - low} * probability) >> 16);
}

bool same_first_byte(std::uint32_t a, std::uint32_t b) { return ((a ^ b) >> 24) == 0; }

}  // namespace

std::uint32_t BitModel::probability() const { return std::clamp(ones_, kLeast, kOne - kLeast); }

void BitModel::update(bool bit) {
  if (bit) {
    ones_ += (kOne - ones_) / (seen_ + 2);
  } else {
    ones_ -= ones_ / (seen_ + 2);
  }
  if (seen_ < kMemory) ++seen_;
}

void BitEncoder::encode(BitModel& model, bool bit) {
  const std::uint32_t middle = split(low_, high_, model.probability());
  if (bit) {
    high_ = middle;
  } else {
    low_ = middle + 1;
  }
  model.update(bit);
  while (same_first_byte(low_, high_)) {
    bytes_.push_back(static_cast<std::byte>(high_ >> 24));
    low_ <<= 8;
    high_ = (high_ << 8) | 0xFF;
  }
}

std::vector<std::byte> BitEncoder::finish() {
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes_.push_back(static_cast<std::byte>(low_ >> shift));
  return std::move(bytes_);
}

BitDecoder::BitDecoder(std::span<const std::byte> bytes) : bytes_(bytes) {
  for (int i = 0; i < 4; ++i) value_ = (value_ << 8) | next_byte();
}

std::uint32_t BitDecoder::next_byte() {
  if (next_ < bytes_.size()) return static_cast<std::uint32_t>(bytes_[next_++]);
  overrun_ = true;
  return 0;
}

bool BitDecoder::decode(BitModel& model) {
  const std::uint32_t middle = split(low_, high_, model.probability());
  const bool bit = value_ <= middle;
  if (bit) {
    high_ = middle;
  } else {
    low_ = middle + 1;
  }
  model.update(bit);
  while (same_first_byte(low_, high_)) {
    low_ <<= 8;
    high_ = (high_ << 8) | 0xFF;
    value_ = (value_ << 8) | next_byte();
  }
  return bit;
}

}  // namespace pare::integer
