#include "apps/lib/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/base/error.h"
#include "framework/base/file.h"

namespace pare {
namespace {

namespace fs = std::filesystem;

// Times live beside the checkpoints, not in them: equal runs have equal checkpoints.
constexpr const char* kTiming = "timing.json";
constexpr std::uint64_t kLargestTiming = 1 << 16;

// Everything that a run writes. result.json first: whatever ends the removal of a run that was
// finished, what is left is not a finished one.
constexpr const char* kFiles[] = {"result.json",     "config.json", "metrics.jsonl", "metrics.csv",
                                  "telemetry.jsonl", "events",      "checkpoints",   "model.pare",
                                  "export",          kTiming,       "report.html",   "log.txt"};

bool holds_run(const std::string& path) {
  return fs::exists(path + "/config.json") || fs::exists(path + "/checkpoints") ||
         fs::exists(path + "/result.json");
}

double read_seconds(const std::string& path) {
  if (!fs::exists(path)) return 0;
  const std::vector<std::byte> bytes = read_file(path, kLargestTiming);
  const char* text = reinterpret_cast<const char*>(bytes.data());
  const auto json = nlohmann::json::parse(text, text + bytes.size(), nullptr, false);
  return json.is_object() && json.contains("seconds") && json["seconds"].is_number()
             ? json["seconds"].get<double>()
             : 0;
}

// Of processes that were killed: nobody else writes here.
void remove_orphans(const std::string& run) {
  const std::vector<std::string> files(std::begin(kFiles), std::end(kFiles)),
      checkpoints = {"last.h5", "best.h5"}, events = {"events.out.tfevents.pare"};
  remove_temporary_files(run, files, OtherWriters::none);
  remove_temporary_files(run + "/checkpoints", checkpoints, OtherWriters::none);
  remove_temporary_files(run + "/events", events, OtherWriters::none);
}

std::string made(std::string path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw FailedError("run folder '" + path + "' cannot be made: " + error.message());
  return path;
}

}  // namespace

RunFolder::Lock::Lock(const std::string& path)
    : descriptor_(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0)
    throw FailedError("run folder '" + path + "' cannot be opened: " + std::strerror(errno));
  if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int why = errno;
  close(descriptor_);
  if (why == EWOULDBLOCK) throw Busy("run folder '" + path + "': another process is writing it");
  throw FailedError("run folder '" + path + "': cannot be locked: " + std::strerror(why));
}

RunFolder::Lock::~Lock() { close(descriptor_); }

RunFolder::RunFolder(std::string path, IfThere if_there)
    : path_(made(std::move(path))), lock_(path_) {
  if (if_there == IfThere::refuse && holds_run(path_)) {
    throw ConfigError(
        "'" + path_ +
        "' holds a run already; add --resume to go on with it, --overwrite to replace it, or "
        "--out to write elsewhere");
  }
  std::error_code error;
  if (if_there == IfThere::overwrite) {
    for (const char* name : kFiles) fs::remove_all(file(name), error);
  }
  remove_orphans(path_);
  fs::create_directories(file("checkpoints"), error);
  if (error) throw FailedError("run folder '" + path_ + "' cannot be written: " + error.message());
  seconds_before_ = read_seconds(file(kTiming));
}

void RunFolder::save_seconds(double seconds) const {
  write_file_atomically(file(kTiming), nlohmann::json{{"seconds", seconds}}.dump() + "\n");
}

}  // namespace pare
