// The folder of an experiment: results beside runs/<hash>/, one folder a run. What a run's folder
// holds is the only record of what is done, so an experiment goes on wherever it was stopped,
// however that happened.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "framework/config/value.h"

namespace pare {

// Why a run ended without a result.
struct Failure {
  int code;  // 1 to 255
  std::string message;
};

class ExperimentFolder {
 public:
  // Does not touch the disk. `runs`: the folder in it that holds one folder a run.
  explicit ExperimentFolder(std::string path, std::string runs = "runs")
      : path_(std::move(path)), runs_(std::move(runs)) {}

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string run(const std::string& hash) const { return path_ + "/" + runs_ + "/" + hash; }
  std::string errors_of(const std::string& hash) const { return run(hash) + "/stderr.txt"; }

  bool is_finished(const std::string& hash) const;
  // It has a checkpoint to go on from.
  bool has_begun(const std::string& hash) const;
  // result.json of a finished run; nothing where it is not, or is damaged. Throws FailedError where
  // the system does not let us read it.
  std::optional<config::Json> result(const std::string& hash) const;
  std::optional<Failure> failure(const std::string& hash) const;

  // Makes the run's folder with its config, as `train --resume` expects it, and forgets an earlier
  // failure, a result that cannot be read, and what a killed process left of our files in it. Where
  // the run is finished, or another process writes it (shards of 4 and of 8 overlap), nothing is
  // touched. Throws FailedError.
  enum class Prepared { ready, finished, at_work };
  Prepared prepare(const std::string& hash, const config::Json& config) const;
  void record(const std::string& hash, const Failure& failure) const;
  // Its exit code and the last words on its stderr.
  Failure failure_of(const std::string& hash, int code) const;

  // Removes what only resuming and branching need.
  void drop_checkpoints(const std::string& hash) const;
  // Copies a finished run from another experiment's folder, whole or not at all, links in it left
  // out. Returns why it was not copied where it is a link itself or another process writes the run
  // here, "" otherwise.
  std::string adopt(const std::string& hash, const ExperimentFolder& from) const;

 private:
  std::string path_;
  std::string runs_;
};

// Keeps two experiments out of one folder, shards of one out of each other's way, and waits for
// runs of one that was killed: they hold the locks of runs (inherited, not closed by exec) until
// they have saved. A shard shares the folder's locks with other shards and has its own to itself.
class ExperimentLock {
 public:
  // `part`: "" or the shard's name. Throws FailedError where another experiment is at work, and
  // after kPatience seconds of waiting; Stopped where a signal ends that.
  ExperimentLock(const ExperimentFolder& folder, const std::string& part);
  static constexpr int kPatience = 120;

 private:
  class Descriptor {
   public:
    // Throws FailedError.
    Descriptor(const std::string& path, int flags);
    ~Descriptor();
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    enum class Kind { exclusive, shared };
    bool try_lock(Kind kind) const;

   private:
    int descriptor_;
  };
  // One of the experiments' own and one of their runs'.
  struct Pair {
    Pair(const ExperimentFolder& folder, const std::string& part);
    Descriptor experiments, runs;
  };
  static void take(const Pair& pair, Descriptor::Kind kind, const std::string& path);

  Pair all_;
  std::optional<Pair> shard_;
};

}  // namespace pare
