#include "apps/lib/experiment/experiment_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "apps/lib/signals.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/config/config.h"
#include "framework/config/utf8.h"

namespace pare {
namespace {

namespace fs = std::filesystem;
using config::Json;

constexpr const char* kFailure = "/failed.json";
constexpr std::uint64_t kLargestRecord = 16 << 20;
constexpr std::size_t kMessageLength = 2000;

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw FailedError("folder '" + path + "' cannot be made: " + error.message());
}

std::string read_text(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path, kLargestRecord);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Nothing where the file is missing or no JSON object: the run counts as not done.
std::optional<Json> read_json(const std::string& path) {
  if (!fs::exists(path)) return std::nullopt;
  Json json = Json::parse(read_text(path), nullptr, false);
  return json.is_object() ? std::optional(std::move(json)) : std::nullopt;
}

int open_lock(const std::string& path, int flags) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | flags, 0666);
  if (descriptor < 0) throw FailedError(path + ": cannot be opened: " + std::strerror(errno));
  return descriptor;
}

bool try_lock(int descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB) == 0; }

}  // namespace

bool ExperimentFolder::is_finished(const std::string& hash) const {
  return result(hash).has_value();
}

std::optional<Json> ExperimentFolder::result(const std::string& hash) const {
  return read_json(run(hash) + "/result.json");
}

std::optional<Failure> ExperimentFolder::failure(const std::string& hash) const {
  std::optional<Json> json = read_json(run(hash) + kFailure);
  if (!json) return std::nullopt;
  const Json &code = (*json)["code"], &message = (*json)["message"];
  return Failure{code.is_number_integer() ? code.get<int>() : 1,
                 message.is_string() ? message.get<std::string>() : ""};
}

void ExperimentFolder::prepare(const std::string& hash, const Json& config) const {
  make_folder(run(hash));
  std::error_code ignored;
  fs::remove(run(hash) + kFailure, ignored);
  write_file_atomically(run(hash) + "/config.json", config::pretty(config));
}

void ExperimentFolder::record(const std::string& hash, const Failure& failure) const {
  const Json json = {{"code", failure.code}, {"message", failure.message}};
  write_file_atomically(run(hash) + kFailure, config::pretty(json));
}

Failure ExperimentFolder::failure_of(const std::string& hash, int code) const {
  std::string text = fs::exists(errors_of(hash)) ? read_text(errors_of(hash)) : "";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const std::size_t error = text.rfind("error: ");
  if (error != std::string::npos) text.erase(0, error);
  if (text.size() > kMessageLength) text.resize(kMessageLength);
  if (!config::is_utf8(text)) {  // cut within a character, or a path in another encoding
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; },
        '?');
  }
  return {code, text.empty() ? "it said nothing" : text};
}

void ExperimentFolder::drop_checkpoints(const std::string& hash) const {
  std::error_code ignored;
  for (const char* name : {"/checkpoints", "/events"}) fs::remove_all(run(hash) + name, ignored);
}

void ExperimentFolder::adopt(const std::string& hash, const ExperimentFolder& from) const {
  const std::string copy = run("." + hash + ".copy");
  make_folder(path_ + "/" + runs_);
  std::error_code error;
  fs::remove_all(copy, error);
  fs::copy(from.run(hash), copy, fs::copy_options::recursive, error);
  if (!error) fs::remove_all(run(hash), error);
  if (!error) fs::rename(copy, run(hash), error);
  if (error)
    throw FailedError("'" + from.run(hash) + "' cannot be copied to '" + run(hash) +
                      "': " + error.message());
}

ExperimentLock::ExperimentLock(const ExperimentFolder& folder, const std::string& part) {
  make_folder(folder.file("runs"));
  ours_ = open_lock(folder.file(".lock" + part), O_CLOEXEC);
  if (!try_lock(ours_)) {
    close(ours_);
    throw FailedError("'" + folder.path() + "': another experiment is writing it");
  }
  runs_ = open_lock(folder.file(".lock-runs" + part), 0);
  for (int tenths = 0; !try_lock(runs_); ++tenths) {
    if (tenths == 10 * kPatience || caught_signal()) {
      throw FailedError("'" + folder.path() + "': runs of an earlier experiment are still at work");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

ExperimentLock::~ExperimentLock() {
  close(runs_);
  close(ours_);
}

}  // namespace pare
