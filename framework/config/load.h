// From files and --set to one merged Value: bases < file < --set.
//
// `_base_` (a path or a list of paths, relative to the file that names it; later ones win) is
// merged below its file. Objects merge key by key, everything else replaces. `"_delete_": true` in
// an object drops what it inherits and then takes its own keys. Origins survive merging: every
// value still says where it was written. `"$schema"`, by which editors find the schema, is taken
// out.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "framework/config/path.h"
#include "framework/config/value.h"

namespace pare::config {

// The file with its bases and the assignments ("PATH=VALUE") applied in order. Throws ConfigError:
// unreadable, malformed, a cycle of bases, an assignment that makes no sense.
Value load_file(const std::string& path, std::span<const std::string> assignments = {});

// The same for a text; its bases are relative to the current folder.
Value load_text(std::string_view text, const std::string& name,
                std::span<const std::string> assignments = {});

// Puts `over` on top of `base`.
void merge(Value& base, Value over);

// One assignment: `optimizer.learning_rate=0.01`, `phases[1].epochs=3`, `compression.q8.bits=4` (a
// key that holds dots is recognised where it exists). VALUE is JSON, or else taken as a string.
// Missing objects are created, and an index equal to a list's size appends; whether the path means
// anything is for the typed reader to say.
void assign(Value& root, const std::string& assignment, int rank = 1);

// The same for a value that was read from a file: messages name its place there.
void assign(Value& root, std::string_view path, Value value, int rank);

}  // namespace pare::config
