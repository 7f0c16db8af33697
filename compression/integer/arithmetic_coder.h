// A binary arithmetic coder with adaptive probabilities: 32-bit interval, 16-bit probabilities,
// integers only.
//
// Encoder and decoder walk the same intervals; docs/model-format.md states the rules so that a
// reader can be written from it alone. The interval scheme is the carry-less one of Mahoney's fpaq
// (2004); the estimator is the Krichevsky-Trofimov one (1981) with a memory of about 250 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pare::integer {

// The probability that the next bit is 1, learned from the bits seen so far.
class BitModel {
 public:
  // In 1/65536, kept so far from 0 and 1 that a bit costs at least 1/57 bit: at most 452 bits fit a
  // byte.
  std::uint32_t probability() const;
  void update(bool bit);

 private:
  std::uint32_t ones_ = 32768;  // in 1/65536
  std::uint32_t seen_ = 0;      // bits, up to the memory
};

class BitEncoder {
 public:
  void encode(BitModel& model, bool bit);
  // Ends the stream; the encoder must not be used afterwards.
  std::vector<std::byte> finish();

 private:
  std::uint32_t low_ = 0, high_ = 0xFFFFFFFF;
  std::vector<std::byte> bytes_;
};

// Reads past the end of a damaged stream give zeros; at_end() says afterwards whether the stream
// was exactly used up.
class BitDecoder {
 public:
  explicit BitDecoder(std::span<const std::byte> bytes);
  bool decode(BitModel& model);
  bool at_end() const { return next_ == bytes_.size() && !overrun_; }

 private:
  std::uint32_t next_byte();

  std::span<const std::byte> bytes_;
  std::size_t next_ = 0;
  bool overrun_ = false;
  std::uint32_t low_ = 0, high_ = 0xFFFFFFFF, value_ = 0;
};

}  // namespace pare::integer
