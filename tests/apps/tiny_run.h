// A run that takes a fraction of a second: a few hundred digits, a network of some thousand
// weights.
#pragma once

#include <span>
#include <string>

#include "apps/lib/run_config.h"
#include "datasets/dataset.h"
#include "framework/base/error.h"

namespace pare {

// 256 images to train, 64 to validate, 96 to test; drawn once.
const Dataset& tiny_digits();

// conv - batch norm - relu - pool - dense, batches of 32 (8 updates an epoch); phases dense (1
// epoch), prune (2, to 75 %) and quantize (2), seed 1. `sets`: assignments as after --set.
RunConfig tiny_config(std::span<const std::string> sets = {});
RunConfig tiny_config(std::initializer_list<std::string> sets);

// The message of the Error that a call throws, or "(no error)".
template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "(no error)";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// An empty folder that vanishes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace pare
