// Text for an HTML page: what a config or a file name holds becomes harmless, numbers become
// readable. Everything that did not come out of our own source goes through escape().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pare::report {

// Safe between tags and inside quoted attributes: & < > " ' as entities. Control characters other
// than newline and tab, and bytes that are no UTF-8, become U+FFFD.
std::string escape(std::string_view text);

// 0.9946 -> "99.46 %".
std::string percent(double fraction);

// 36512 -> "36,512 B"; from 100,000 on in KB of 1000.
std::string byte_count(std::int64_t bytes);

// Four digits at most, no exponent where it can be helped: 0.0312, 8.23, 1.2e-05.
std::string number(double value);

// A value that differs between equal runs. The page is the same but for these.
std::string time_dependent(std::string_view text);

}  // namespace pare::report
