// The names of the config API for headers that only mention it. A struct's describe() is declared
// with these and defined in its source, which includes object.h: most sources then never see the
// JSON library, which takes longer to compile than all else that they include.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace pare::config {

// JSON for output; keeps the order of keys.
using Json = nlohmann::ordered_json;

class Object;
class Value;
class Node;
template <class T>
struct Type;

}  // namespace pare::config
