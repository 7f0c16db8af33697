// What a module may offer beside Module's forward() so that a network runs in fewer passes over
// memory (execution.h). A module that can do neither inherits from neither.
#pragma once

#include <span>

#include "layers/module.h"

namespace pare {

// Computes each element by itself and never a smaller value from a larger one, so that behind it
// the same pixel of a window holds the maximum: a max pool that reads it may run in front of it,
// for the same values on fewer elements.
class CommutesWithMaxPool {
 public:
  virtual ~CommutesWithMaxPool() = default;
  virtual bool commutes_with_max_pool() const = 0;
};

// Runs together with its only reader.
class FusesWithReader {
 public:
  virtual ~FusesWithReader() = default;
  // Whether forward_with() takes this reader.
  virtual bool fuses_with(const Module& reader) const = 0;
  // What the reader's forward() gives on this module's, with the same bits.
  virtual Variable forward_with(const Module& reader, std::span<const Variable> inputs,
                                const Pass& pass) = 0;
};

}  // namespace pare
