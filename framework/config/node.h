// A Value on its way into a struct: it knows its path ("phases[1].apply[0]") and reads itself as
// one type at a time.
//
// Every getter throws ConfigError "<origin>: <path>: expected <what>, got <value>". Used inside
// Type::read (type.h); structs normally use Object (object.h).
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/config/path.h"
#include "framework/config/value.h"

namespace pare::config {

struct IntegerRange {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();

  std::string text() const;  // "from 1 to 8", "at least 1", or ""
};

// min <= x <= max and above < x < below: {.min = 0, .below = 1} is [0, 1).
struct RealRange {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  double above = -std::numeric_limits<double>::infinity();
  double below = std::numeric_limits<double>::infinity();

  bool contains(double x) const { return x >= min && x <= max && x > above && x < below; }
  std::string text() const;  // "from 0 to 1", "above 0", "at least 0 and below 1", or ""
};

class Node {
 public:
  // `value` must outlive the node.
  Node(const Value& value, std::string path) : value_(&value), path_(std::move(path)) {}

  const Value& value() const { return *value_; }
  const std::string& path() const { return path_; }

  bool is_null() const { return value_->is<std::nullptr_t>(); }
  bool is_boolean() const { return value_->is<bool>(); }
  bool is_integer() const { return value_->is<std::int64_t>(); }
  bool is_number() const { return is_integer() || value_->is<double>(); }
  bool is_text() const { return value_->is<std::string>(); }
  bool is_list() const { return value_->is<List>(); }
  bool is_object() const { return value_->is<Members>(); }

  bool boolean() const;
  std::int64_t integer(const IntegerRange& range = {}) const;  // 2.0 is no integer
  double real(const RealRange& range = {}) const;              // 2 is a real
  const std::string& text() const;
  const std::string& choice(std::span<const std::string> names) const;
  std::vector<Node> items() const;                            // of a list
  std::vector<std::pair<std::string, Node>> members() const;  // of an object

  // The folder of the file this value was written in, for relative paths ("." for --set and texts).
  std::string folder() const;

  // Throws "<origin>: <path>: <message>".
  [[noreturn]] void fail(const std::string& message) const;
  // Throws "<origin>: <path>: expected <what>, got <value><hint>".
  [[noreturn]] void expected(const std::string& what, const std::string& hint = "") const;

 private:
  const Value* value_;
  std::string path_;
};

// Throws ConfigError about the value at `path` below `root` (or the nearest existing parent): for
// rules that are checked after reading, when only the config's Value is at hand.
[[noreturn]] void fail_at(const Value& root, std::string_view path, const std::string& message);

}  // namespace pare::config
