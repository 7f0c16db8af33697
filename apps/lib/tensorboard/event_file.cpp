#include "apps/lib/tensorboard/event_file.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <span>

#include "apps/lib/tensorboard/record.h"
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
    : records_(cut_back(path, keep)), file_(std::move(path)) {
  if (records_ == 0) append_payload(encode_version(wall_clock()));
}

void EventFile::append(const Event& event) { append_payload(encode(event)); }

void EventFile::append_payload(const std::vector<std::byte>& payload) {
  file_.append(framed(payload));
  ++records_;
}

double wall_clock() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since_1970).count();
}

}  // namespace pare::tensorboard
