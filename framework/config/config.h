// The four things that one describe() gives: read, write, document, schema. Include this to use
// configs.
#pragma once

#include <string>
#include <vector>

#include "framework/config/load.h"
#include "framework/config/object.h"
#include "framework/config/parse.h"

namespace pare::config {

// One row of the generated documentation.
struct Entry {
  std::string path;           // "compression.<name>.weights.bits", "phases[].epochs"
  std::string when;           // "kind = conv2d" where the key belongs to one alternative, or ""
  std::string type;           // "integer"
  std::string default_value;  // as JSON; "required" where there is none
  std::string allowed;        // "from 2 to 16", "adam, sgd", or ""
  std::string doc;
};

namespace detail {
using Describe = std::function<void(Object&)>;
void read_root(const Value& value, const Describe& describe, const Describe& describe_default);
std::vector<Entry> document(const Describe& describe);
Json root_schema(const Describe& describe);
}  // namespace detail

// Fills a default T from the config. Throws ConfigError: unknown key, wrong type, out of range, T's
// own rules.
template <Describable T>
T read(const Value& value) {
  T result = T();
  T defaults = T();
  detail::read_root(
      value, [&](Object& o) { result.describe(o); }, [&](Object& o) { defaults.describe(o); });
  return result;
}

// The resolved config: every key with its value. read(write(x)) == x.
template <Describable T>
Json write(const T& x) {
  return object<T>().write(x);
}

// All keys of T, depth first in the order of describe().
template <Describable T>
std::vector<Entry> document() {
  T defaults = T();
  return detail::document([&](Object& o) { defaults.describe(o); });
}

// A JSON Schema (draft 7) of a file that holds a T, for editors. No key at the top is required:
// a base may give it.
template <Describable T>
Json schema() {
  T defaults = T();
  return detail::root_schema([&](Object& o) { defaults.describe(o); });
}

// JSON for people: two spaces, and what fits into a line stays on one.
std::string pretty(const Json& json);

}  // namespace pare::config
