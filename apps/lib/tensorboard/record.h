// TFRecord: the framing of event files. A record is the length of its payload (64 bits, little
// endian), the masked CRC-32C of these 8 bytes, the payload, and the payload's masked CRC-32C.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace pare::tensorboard {

// The payload as a record.
std::vector<std::byte> framed(std::span<const std::byte> payload);

// Where the records end that the bytes hold, counted from their beginning: ends[i] is one past
// record i. Stops at the first record that is cut off or damaged; no bytes make it fail.
std::vector<std::size_t> record_ends(std::span<const std::byte> bytes);

}  // namespace pare::tensorboard
