// Downloading a data set: through the program `curl`, continued where an earlier attempt stopped,
// believed only where size and SHA-256 are the expected ones (files unpacked earlier: their sizes).
//
// A file appears under its name only when it is complete and verified; until then it is a hidden
// .part beside it. Nothing is downloaded that is there already.
#pragma once

#include <string>

#include "apps/lib/console.h"
#include "apps/lib/fetch/remote_sets.h"

namespace pare {

// Into the folder <to>/<kind>. Throws DataError where no mirror gives the right bytes (the message
// says what to put where by other means), FailedError where a program or the disk fails.
void fetch(const RemoteSet& set, const std::string& to, Console& console);

}  // namespace pare
