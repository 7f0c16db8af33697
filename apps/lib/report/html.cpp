#include "apps/lib/report/html.h"

#include <fmt/format.h>

#include "framework/base/text.h"

namespace pare::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool continues(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// Bytes of the UTF-8 character that text begins with; 0 where it is none (RFC 3629, section 4).
std::size_t character(std::string_view text) {
  const auto at = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : '\0';
  };
  const unsigned char lead = at(0), second = at(1);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4 || !continues(second)) return 0;
  if (lead < 0xE0) return 2;
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool outside = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
  if (overlong || outside || !continues(at(2))) return 0;
  if (lead < 0xF0) return 3;
  return continues(at(3)) ? 4 : 0;
}

std::string_view entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return "";
  }
}

bool is_control(char c) {
  const auto code = static_cast<unsigned char>(c);
  return (code < 0x20 && c != '\n' && c != '\t') || code == 0x7F;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character(text);
    if (const std::string_view replaced = entity(text[0]); !replaced.empty()) {
      safe += replaced;
    } else if (length == 0 || is_control(text[0])) {
      safe += kReplacement;
    } else {
      safe += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return safe;
}

std::string percent(double fraction) { return fmt::format("{:.2f} %", 100 * fraction); }

std::string byte_count(std::int64_t bytes) {
  if (bytes < 100'000) return grouped(bytes) + " B";
  return fmt::format("{} KB", grouped((bytes + 500) / 1000));
}

std::string number(double value) { return fmt::format("{:.4g}", value); }

std::string time_dependent(std::string_view text) {
  return fmt::format("<span class=\"time\">{}</span>", escape(text));
}

}  // namespace pare::report
