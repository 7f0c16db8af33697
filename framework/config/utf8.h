// UTF-8 as RFC 3629 defines it: no surrogates, no overlong forms, nothing beyond U+10FFFF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pare::config {

// Length in bytes of the well-formed sequence at the start of `text`, 0 where there is none.
std::size_t utf8_length(std::string_view text);

bool is_utf8(std::string_view text);

// Appends one character; `code` is at most 0x10FFFF and no surrogate.
void append_utf8(std::string& out, unsigned code);

}  // namespace pare::config
