// The reference of a run's config, written from the structs that read it: docs/config.md for
// people, docs/config.schema.json for editors. A test fails where the files are behind.
#pragma once

#include <string>

namespace pare {

// Markdown: one table per section, one row per key.
std::string config_reference();

// JSON Schema, draft 7.
std::string config_schema();

}  // namespace pare
