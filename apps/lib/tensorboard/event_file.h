// An event file that grows record by record and can be cut back to what a checkpoint knows.
#pragma once

#include <cstddef>
#include <string>

#include "apps/lib/tensorboard/event.h"
#include "framework/base/append_file.h"

namespace pare::tensorboard {

class EventFile {
 public:
  // Goes on after the first `keep` records that the file holds undamaged, or fewer where it holds
  // fewer; the rest is cut off. A file that is missing begins anew. Throws FailedError, DataError.
  EventFile(std::string path, std::size_t keep);

  // Records so far; the first is the file's version, which is written where it is missing.
  std::size_t records() const { return records_; }
  // Appends a record. Throws FailedError.
  void append(const Event& event);

 private:
  void append_payload(const std::vector<std::byte>& payload);

  std::size_t records_;
  AppendFile file_;
};

// Seconds since 1970, for Event::wall_time.
double wall_clock();

}  // namespace pare::tensorboard
