// JSON that a program of ours wrote, read back from a file that may be anything: a checkpoint's
// text, result.json, metrics.jsonl. Configs, which people write, are read by parse.h.
#pragma once

#include <string>
#include <string_view>

#include "framework/config/forward.h"

namespace pare::config {

// Throws DataError that begins with `what` for text that is no JSON, for more than 136 levels
// (copying and writing a document recurse), and for objects with so many keys that looking them up,
// one after the other, would take longer than seconds.
Json parse_json(std::string_view text, const std::string& what);

}  // namespace pare::config
