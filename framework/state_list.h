// visit_list: a list of plain values as the state of a checkpoint. Beside state.h, which everything
// includes, because few need it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "framework/base/error.h"
#include "framework/state.h"

namespace pare {

// The values as bytes under `name`; the list may be empty, before a first observation for example.
template <class T, class Allocator>
void visit_list(const std::string& name, std::vector<T, Allocator>& values, StateVisitor& visitor) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::vector<std::uint8_t> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  visitor.bytes(name, bytes);
  values.resize(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
}

// Throws DataError where a list came back with neither `count` entries nor none: the file it was
// read from is not of this network.
inline void require_none_or(const std::string& name, std::size_t got, std::int64_t count) {
  if (got == 0 || got == static_cast<std::size_t>(count)) return;
  throw DataError(name + ": expected none or " + std::to_string(count) + ", got " +
                  std::to_string(got));
}

}  // namespace pare
