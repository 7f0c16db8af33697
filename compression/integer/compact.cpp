#include "compression/integer/compact.h"

#include "framework/base/error.h"

namespace pare::integer {

void write_unsigned(ByteWriter& writer, std::uint32_t value) {
  for (; value >= 128; value >>= 7) writer.u8(static_cast<std::uint8_t>(value | 128));
  writer.u8(static_cast<std::uint8_t>(value));
}

void write_signed(ByteWriter& writer, std::int32_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  write_unsigned(writer, (bits << 1) ^ (value < 0 ? 0xFFFFFFFFu : 0u));
}

void write_text(ByteWriter& writer, const std::string& text) {
  PARE_ENSURE(text.size() <= 255);
  writer.u8(static_cast<std::uint8_t>(text.size()));
  writer.text(text);
}

std::uint32_t read_unsigned(ByteReader& reader) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 35; shift += 7) {
    const std::uint8_t byte = reader.u8();
    value |= static_cast<std::uint64_t>(byte & 127) << shift;
    if ((byte & 128) != 0) continue;
    if (value > 0xFFFFFFFF || (byte == 0 && shift > 0)) break;
    return static_cast<std::uint32_t>(value);
  }
  reader.fail("a number is too large or not in its shortest form");
}

std::int32_t read_signed(ByteReader& reader) {
  const std::uint32_t bits = read_unsigned(reader);
  return static_cast<std::int32_t>((bits >> 1) ^ ((bits & 1) != 0 ? 0xFFFFFFFFu : 0u));
}

std::string read_text(ByteReader& reader) {
  const std::uint8_t length = reader.u8();
  return reader.text(length);
}

std::int32_t read_count(ByteReader& reader, const char* name, std::int64_t largest) {
  const std::uint32_t value = read_unsigned(reader);
  if (value > largest) {
    reader.fail(std::string(name) + " is " + std::to_string(value) + ", expected at most " +
                std::to_string(largest));
  }
  return static_cast<std::int32_t>(value);
}

}  // namespace pare::integer
