// Runs a function in a process of its own with bounded memory and time, and brings its bytes back:
// for parsers that are not ours and may crash on hostile files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pare {

struct Guard {
  std::uint64_t memory;  // bytes beyond what this process has already
  int seconds;           // of processor time, and (five times as many) of wall clock
};

// What `work` returns. It runs in a copy of this process: it sees everything, changes nothing, and
// must not use threads. A DataError that it throws is thrown here; a crash or a limit becomes a
// DataError that begins with `what`. Throws FailedError where the reason may be the machine's: no
// process, or less memory than the guard would grant.
std::vector<std::byte> run_guarded(const Guard& guard, const std::string& what,
                                   const std::function<std::vector<std::byte>()>& work);

}  // namespace pare
