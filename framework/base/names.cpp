#include "framework/base/names.h"

#include <algorithm>

namespace pare {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

bool is_plain_name(std::string_view name, std::size_t most) {
  return !name.empty() && name.size() <= most && name[0] != '.' &&
         std::all_of(name.begin(), name.end(), is_plain);
}

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace pare
