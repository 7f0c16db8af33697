// Steps are taken off the text one at a time, so that each can look at the object it stands in.
#include "framework/config/path.h"

#include <algorithm>
#include <charconv>

namespace pare::config {

std::string join_path(std::string_view parent, std::string_view key) {
  std::string path(parent);
  if (!path.empty() && !key.empty() && key.front() != '[') path += '.';
  return path += key;
}

namespace {

bool ends_a_key(std::string_view rest, std::size_t at) {
  return at == rest.size() || rest[at] == '.' || rest[at] == '[';
}

// The length of the key at the start of `rest`.
std::size_t key_length(const Value* here, std::string_view rest) {
  std::size_t longest = 0;
  if (here && here->is<Members>()) {
    for (const Member& member : here->as<Members>()) {
      const std::string& key = member.key;
      if (key.size() > longest && rest.starts_with(key) && ends_a_key(rest, key.size())) {
        longest = key.size();
      }
    }
  }
  return longest > 0 ? longest : std::min(rest.find_first_of(".["), rest.size());
}

}  // namespace

bool take_step(const Value* here, std::string_view& rest, Step& step) {
  step = {};
  if (rest.starts_with('[')) {
    const std::size_t close = rest.find(']');
    if (close == std::string_view::npos || close > 9) return false;  // 8 digits are plenty
    const char* end = rest.data() + close;
    const auto [stop, error] = std::from_chars(rest.data() + 1, end, step.index);
    if (error != std::errc() || stop != end) return false;
    step.is_index = true;
    rest.remove_prefix(close + 1);
  } else {
    const std::size_t length = key_length(here, rest);
    if (length == 0) return false;
    step.key = rest.substr(0, length);
    rest.remove_prefix(length);
  }
  if (rest.empty() || rest.starts_with('[')) return true;
  if (!rest.starts_with('.') || rest.size() == 1 || rest[1] == '[') return false;
  rest.remove_prefix(1);
  return true;
}

const Value* follow(const Value& here, const Step& step) {
  if (!step.is_index) return here.find(step.key);
  if (!here.is<List>() || step.index >= here.as<List>().size()) return nullptr;
  return &here.as<List>()[step.index];
}

const Value* find_path(const Value& root, std::string_view path) {
  const Value* here = &root;
  Step step;
  while (here && !path.empty()) here = take_step(here, path, step) ? follow(*here, step) : nullptr;
  return here;
}

const Value& deepest(const Value& root, std::string_view path) {
  const Value* here = &root;
  Step step;
  while (!path.empty() && take_step(here, path, step)) {
    const Value* next = follow(*here, step);
    if (!next) break;
    here = next;
  }
  return *here;
}

}  // namespace pare::config
