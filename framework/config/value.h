// A parsed config: JSON values that remember where each of them was written.
//
// Values are plain data without defaults or types; object.h turns them into structs. They nest at
// most 2 * kDeepest levels (a path of --set and its value), so recursion over them is safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "framework/config/forward.h"

namespace pare::config {

inline constexpr int kDeepest = 64;

// One text that values come from.
struct Source {
  std::string name;  // a file's path, or "--set optimizer.kind=sgd"
  int rank =
      0;  // larger: given later. The bases of a file are negative, the file 0, --set from 1 on
  bool has_lines = true;  // false: one line of the command line, positions would say nothing
};

// Where a key or a value was written: "configs/x.json:12:7" (columns count characters from 1), or
// "--set a.b=1".
struct Origin {
  std::shared_ptr<const Source> source;
  int line = 0;
  int column = 0;

  std::string text() const;
  int rank() const { return source ? source->rank : 0; }
};

class Value;
struct Member;
using List = std::vector<Value>;
using Members = std::vector<Member>;  // in the order of the file, no key twice

class Value {
 public:
  // double: written with a fraction or an exponent, or too large for 64 bits.
  using Data = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, List, Members>;

  Value();
  Value(Data value, Origin where);

  template <class T>
  bool is() const {
    return std::holds_alternative<T>(data);
  }
  // The wrong T is our own mistake (std::bad_variant_access).
  template <class T>
  const T& as() const {
    return std::get<T>(data);
  }
  template <class T>
  T& as() {
    return std::get<T>(data);
  }

  // The value of a key, or null where this is no object or lacks it.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);

  // The largest rank of this value and all inside it: how late anything of it was given.
  int latest_rank() const;

  // "12", "\"text\"", "a list of 3", "an object": for messages.
  std::string summary() const;

  Data data;
  Origin origin;
};

struct Member {
  std::string key;
  Origin origin;  // of the key
  Value value;
};

// Here, because a list of members can be made and destroyed once Member is complete.
inline Value::Value() : data(nullptr) {}
inline Value::Value(Data value, Origin where) : data(std::move(value)), origin(std::move(where)) {}

Json to_json(const Value& value);

}  // namespace pare::config
