#include "apps/lib/experiment/experiment_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "apps/lib/run_folder.h"
#include "apps/lib/signals.h"
#include "apps/lib/trainer.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/config/config.h"
#include "framework/config/parse_json.h"
#include "framework/config/utf8.h"

namespace pare {
namespace {

namespace fs = std::filesystem;
using config::Json;

constexpr const char* kResult = "/result.json";
constexpr const char* kFailure = "/failed.json";
constexpr std::uint64_t kLargestRecord = 16 << 20;
constexpr std::size_t kMessageLength = 2000;
constexpr std::streamoff kLargestEnd = 64 << 10;

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw FailedError("folder '" + path + "' cannot be made: " + error.message());
}

std::string read_text(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path, kLargestRecord);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The end of a file, of at most kLargestEnd bytes; nothing where it cannot be read.
std::string end_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file.tellg(), from = std::max<std::streamoff>(0, size - kLargestEnd);
  if (size <= 0) return "";
  std::string text(static_cast<std::size_t>(size - from), '\0');
  file.seekg(from);
  file.read(text.data(), size - from);
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

// Nothing where the file is missing or no JSON object: the run counts as not done.
std::optional<Json> read_json(const std::string& path) {
  if (!fs::exists(path)) return std::nullopt;
  try {
    Json json = config::parse_json(read_text(path), path);
    return json.is_object() ? std::optional(std::move(json)) : std::nullopt;
  } catch (const DataError&) {
    return std::nullopt;
  }
}

const ExperimentFolder& made(const ExperimentFolder& folder) {
  make_folder(folder.file("runs"));
  return folder;
}

// 0 would say that nothing failed, and an exit code has no more than eight bits.
int exit_code_of_failure(std::int64_t code) {
  return code >= 1 && code <= 255 ? static_cast<int>(code) : 1;
}

}  // namespace

bool ExperimentFolder::is_finished(const std::string& hash) const {
  return result(hash).has_value();
}

bool ExperimentFolder::has_begun(const std::string& hash) const {
  return fs::exists(run(hash) + "/checkpoints");
}

std::optional<Json> ExperimentFolder::result(const std::string& hash) const {
  return read_json(run(hash) + kResult);
}

std::optional<Failure> ExperimentFolder::failure(const std::string& hash) const {
  std::optional<Json> json = read_json(run(hash) + kFailure);
  if (!json) return std::nullopt;
  const Json &code = (*json)["code"], &message = (*json)["message"];
  return Failure{exit_code_of_failure(code.is_number_integer() ? code.get<std::int64_t>() : 1),
                 message.is_string() ? message.get<std::string>() : ""};
}

ExperimentFolder::Prepared ExperimentFolder::prepare(const std::string& hash,
                                                     const Json& config) const {
  make_folder(run(hash));
  try {
    const RunFolder::Lock lock(run(hash));
    if (is_finished(hash)) return Prepared::finished;
    const std::vector<std::string> ours = {"config.json", "failed.json"};
    remove_temporary_files(run(hash), ours, OtherWriters::some);
    std::error_code ignored;
    for (const char* before : {kFailure, kResult}) fs::remove(run(hash) + before, ignored);
    write_file_atomically(run(hash) + "/config.json", config::pretty(config));
    return Prepared::ready;
  } catch (const RunFolder::Busy&) {
    return Prepared::at_work;
  }
}

void ExperimentFolder::record(const std::string& hash, const Failure& failure) const {
  make_folder(run(hash));  // it may never have begun
  const Json json = {{"code", failure.code}, {"message", failure.message}};
  write_file_atomically(run(hash) + kFailure, config::pretty(json));
}

Failure ExperimentFolder::failure_of(const std::string& hash, int code) const {
  std::string text = end_of(errors_of(hash));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const std::size_t error = text.rfind("error: ");
  if (error != std::string::npos) text.erase(0, error);
  if (text.size() > kMessageLength) text.resize(kMessageLength);
  if (!config::is_utf8(text)) {  // cut within a character, or a path in another encoding
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; },
        '?');
  }
  if (text.empty()) text = code == 0 ? "it ended without a result" : "it said nothing";
  return {exit_code_of_failure(code), text};
}

void ExperimentFolder::drop_checkpoints(const std::string& hash) const {
  std::error_code ignored;
  for (const char* name : {"/checkpoints", "/events"}) fs::remove_all(run(hash) + name, ignored);
}

std::string ExperimentFolder::adopt(const std::string& hash, const ExperimentFolder& from) const {
  for (const std::string& path : {from.run(hash), from.run(hash) + kResult}) {
    if (fs::is_symlink(path)) return "'" + path + "' is a symbolic link";
  }
  const std::string copy = run("." + hash + ".copy");
  make_folder(run(hash));
  std::optional<RunFolder::Lock> lock;  // a run of an experiment that is at work may be writing
  try {
    lock.emplace(run(hash));
  } catch (const FailedError& error) {
    return error.what();
  }
  std::error_code error;
  fs::remove_all(copy, error);
  fs::copy(from.run(hash), copy, fs::copy_options::recursive | fs::copy_options::skip_symlinks,
           error);
  if (!error) fs::remove_all(run(hash), error);
  if (!error) fs::rename(copy, run(hash), error);
  if (error)
    throw FailedError("'" + from.run(hash) + "' cannot be copied to '" + run(hash) +
                      "': " + error.message());
  return "";
}

ExperimentLock::Descriptor::Descriptor(const std::string& path, int flags)
    : descriptor_(open(path.c_str(), O_RDWR | O_CREAT | flags, 0666)) {
  if (descriptor_ < 0) throw FailedError(path + ": cannot be opened: " + std::strerror(errno));
}

ExperimentLock::Descriptor::~Descriptor() { close(descriptor_); }

bool ExperimentLock::Descriptor::try_lock(Kind kind) const {
  return flock(descriptor_, (kind == Kind::exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0;
}

ExperimentLock::Pair::Pair(const ExperimentFolder& folder, const std::string& part)
    : experiments(folder.file(".lock" + part), O_CLOEXEC),
      runs(folder.file(".lock-runs" + part), 0) {}

ExperimentLock::ExperimentLock(const ExperimentFolder& folder, const std::string& part)
    : all_(made(folder), "") {
  take(all_, part.empty() ? Descriptor::Kind::exclusive : Descriptor::Kind::shared, folder.path());
  if (part.empty()) return;
  shard_.emplace(folder, part);
  take(*shard_, Descriptor::Kind::exclusive, folder.path());
}

void ExperimentLock::take(const Pair& pair, Descriptor::Kind kind, const std::string& path) {
  if (!pair.experiments.try_lock(kind))
    throw FailedError("'" + path + "': another experiment is writing it");
  for (int tenths = 0; !pair.runs.try_lock(kind); ++tenths) {
    if (const int signal = caught_signal()) throw Stopped{signal};
    if (tenths == 10 * kPatience) {
      throw FailedError("'" + path +
                        "': runs of an earlier experiment are still at work; try again when they "
                        "have ended");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace pare
