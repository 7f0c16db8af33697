// Paths into a config: "phases[1].apply[0]", "compression.q8.weights.bits".
//
// A key may hold dots itself; where an object is at hand, the longest of its keys that fits is
// taken.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "framework/config/value.h"

namespace pare::config {

// "phases" + "epochs" -> "phases.epochs"; "" + "phases" -> "phases".
std::string join_path(std::string_view parent, std::string_view key);

struct Step {
  bool is_index = false;
  std::string_view key;
  std::size_t index = 0;
};

// Takes the first step off `rest`, which is not empty; `here` helps with keys that hold dots and
// may be null. False where `rest` is malformed.
bool take_step(const Value* here, std::string_view& rest, Step& step);

// The value that a step from `here` leads to, or null.
const Value* follow(const Value& here, const Step& step);

// The value at `path`, or null. "" is the root.
const Value* find_path(const Value& root, std::string_view path);

// The value at the longest prefix of `path` that exists; the root at least.
const Value& deepest(const Value& root, std::string_view path);

}  // namespace pare::config
