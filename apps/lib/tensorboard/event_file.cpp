#include "apps/lib/tensorboard/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <span>

#include "apps/lib/tensorboard/record.h"
#include "framework/base/error.h"
#include "framework/base/file.h"

namespace pare::tensorboard {
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 32;

// Leaves the first `keep` undamaged records; returns how many there are.
std::size_t cut_back(const std::string& path, std::size_t keep) {
  if (!std::filesystem::exists(path)) return 0;
  const std::vector<std::byte> bytes = read_file(path, kLargestFile);
  const std::vector<std::size_t> ends = record_ends(bytes);
  const std::size_t records = std::min(keep, ends.size());
  const std::size_t size = records == 0 ? 0 : ends[records - 1];
  if (size < bytes.size()) write_file_atomically(path, std::span(bytes).first(size));
  return records;
}

}  // namespace

EventFile::EventFile(std::string path, std::size_t keep)
    : path_(std::move(path)), records_(cut_back(path_, keep)) {
  descriptor_ = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0)
    throw FailedError("'" + path_ + "' cannot be opened: " + std::strerror(errno));
  if (records_ == 0) append_payload(encode_version(wall_clock()));
}

EventFile::~EventFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void EventFile::append(const Event& event) { append_payload(encode(event)); }

// A record that cannot be written whole is taken back: what comes behind half a one is lost to
// readers.
void EventFile::append_payload(const std::vector<std::byte>& payload) {
  const off_t before = lseek(descriptor_, 0, SEEK_END);
  const std::vector<std::byte> record = framed(payload);
  std::span<const std::byte> rest = record;
  while (!rest.empty()) {
    const ssize_t written = write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const std::string why = std::strerror(errno);
      [[maybe_unused]] const int cut = ftruncate(descriptor_, before);
      throw FailedError("'" + path_ + "' cannot be written: " + why);
    }
    rest = rest.subspan(static_cast<std::size_t>(written));
  }
  ++records_;
}

double wall_clock() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since_1970).count();
}

}  // namespace pare::tensorboard
