// The atoms of model.pare: its first bytes, small integers in few bytes, texts with a length in
// front.
//
// unsigned: seven bits a byte, lowest first, the top bit set on all bytes but the last (LEB128).
// signed: zigzag (0, -1, 1, -2, ... -> 0, 1, 2, 3, ...), then as unsigned.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "framework/base/file.h"

namespace pare::integer {

inline constexpr std::string_view kModelMagic = "PARE";
inline constexpr std::uint32_t kModelVersion = 3;  // the newest; a reader reads all from 1 on
inline constexpr std::uint32_t kFractionBits = 3;  // the first version whose biases may have some

void write_unsigned(ByteWriter& writer, std::uint32_t value);
void write_signed(ByteWriter& writer, std::int32_t value);
void write_text(ByteWriter& writer, const std::string& text);

// Throw DataError (through the reader) where the bytes end, the value needs more than 32 bits or is
// not in its shortest form.
std::uint32_t read_unsigned(ByteReader& reader);
std::int32_t read_signed(ByteReader& reader);
std::string read_text(ByteReader& reader);

// read_unsigned, refused above `largest` (at most 2^31 - 1): "<name> is ..., expected at most ...".
std::int32_t read_count(ByteReader& reader, const char* name, std::int64_t largest);

}  // namespace pare::integer
