// The folder of a run: where its files lie, who may write it, and what happens where it holds a run
// already.
#pragma once

#include <string>

#include "framework/base/error.h"

namespace pare {

class RunFolder {
 public:
  enum class IfThere { refuse, resume, overwrite };

  struct Busy : FailedError {
    using FailedError::FailedError;
  };

  // Of a folder that exists. Throws Busy where another process holds it, FailedError where it
  // cannot be locked.
  class Lock {
   public:
    explicit Lock(const std::string& path);
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    int descriptor_;
  };

  // Makes the folder and locks it (flock: the kernel frees it when the process dies). Throws
  // ConfigError where it holds a run and that is to be refused, FailedError where it cannot be made
  // or another process writes it. `overwrite` removes what a run writes and nothing else; temporary
  // files that a killed process left of them are always removed.
  RunFolder(std::string path, IfThere if_there);

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string last_checkpoint() const { return file("checkpoints/last.h5"); }
  std::string best_checkpoint() const { return file("checkpoints/best.h5"); }

  // Wall clock that earlier processes spent on this run; 0 where nothing is known.
  double seconds_before() const { return seconds_before_; }
  // Remembers the wall clock of the run so far.
  void save_seconds(double seconds) const;

 private:
  std::string path_;
  Lock lock_;
  double seconds_before_ = 0;
};

}  // namespace pare
