// Small pieces of C source.
#pragma once

#include <cstdint>
#include <string>

#include "compression/exporters/c99/c99.h"

namespace pare::c99 {

// "{\n  1, -2, 3,\n  ...}": a hundred columns at most. Values must convert to int64.
template <class Values>
std::string initializer(const Values& values) {
  std::string text = "{", line;
  for (const auto value : values) {
    std::string item = std::to_string(static_cast<std::int64_t>(value)) + ",";
    if (line.size() + item.size() > 97) {
      text += "\n  " + line;
      line.clear();
    }
    line += (line.empty() ? "" : " ") + item;
  }
  if (!line.empty()) line.pop_back();
  return text + "\n  " + line + "\n}";
}

// Every "@NAME@" replaced by the model's name in capitals, every "@name@" by the name itself.
std::string with_name(std::string text, const std::string& name);

// `name` as a part of a comment, which it cannot end: '_' in place of '/', '?' in place of what is
// not printable ASCII.
std::string comment_text(const std::string& name);

// NAME_selftest.c.
std::string selftest_text(const C99Golden& golden, bool pixels, bool bytes);

}  // namespace pare::c99
