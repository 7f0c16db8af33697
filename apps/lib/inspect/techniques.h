// `inspect --techniques`: what the tables of methods hold, with their keys: everything that a
// config's "compression" can say, from the same describe() that reads it.
#pragma once

#include <string>

#include "framework/config/value.h"

namespace pare {

// {"what": "techniques", "methods": [{name, description}], "pruners": [{name, description}], "quantizers": [...], "observers": [...],
// "keys": [{path, when, type, default, allowed, doc}]}
config::Json techniques_document();

std::string techniques_text(const config::Json& document);

}  // namespace pare
