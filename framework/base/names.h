// Names that stand in files' names, scripts, generated code and on terminals: plain enough for all.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pare {

// A letter of ASCII (whatever the locale), a digit, '_', '-' or '.'.
bool is_plain(char c);

// 1 to `most` plain characters, the first one no '.'.
bool is_plain_name(std::string_view name, std::size_t most);

// `text` with '?' in place of all that is not printable ASCII: safe for a terminal.
std::string printable(std::string text);

}  // namespace pare
