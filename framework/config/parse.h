// Text to Value: JSON (RFC 8259) plus comments, with a position for every key and value.
//
// Own parser, because positions and clear messages are the point of it. Every fault is a
// ConfigError
// "<name>:<line>:<column>: expected ..., got ...": duplicate keys, trailing commas, invalid UTF-8,
// lone surrogates, numbers outside a double, more than kDeepest levels, more than kLargest bytes.
#pragma once

#include <string>
#include <string_view>

#include "framework/config/value.h"

namespace pare::config {

inline constexpr std::uint64_t kLargest = 1 << 20;  // bytes

// `name` is used in messages. `_base_` stays an ordinary key: load.h resolves it.
Value parse_text(std::string_view text, const std::string& name);
Value parse_text(std::string_view text, Source source);

// Throws ConfigError where the file cannot be read.
Value parse_file(const std::string& path, int rank = 0);

}  // namespace pare::config
