#include "apps/lib/telemetry_file.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/config/parse_json.h"

namespace pare {
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{4} << 30;

std::string text_of(const TelemetryRow& row) { return to_json(row).dump() + '\n'; }

// In a phase that the run does not have it is nowhere.
bool is_known(const TelemetryRow& row, const std::vector<std::string>& phases,
              const std::optional<TelemetryMark>& last) {
  const auto phase = std::find(phases.begin(), phases.end(), row.phase);
  if (!last || phase == phases.end()) return false;
  return TelemetryMark{static_cast<std::size_t>(phase - phases.begin()), row.step} <= *last;
}

// The path, with nothing in the file that `last` does not know.
const std::string& cut_back(const std::string& path, const std::vector<std::string>& phases,
                            const std::optional<TelemetryMark>& last) {
  if (!std::filesystem::exists(path)) return path;
  std::string kept;
  for (const TelemetryRow& row : read_telemetry(path)) {
    if (is_known(row, phases, last)) kept += text_of(row);
  }
  write_file_atomically(path, kept);
  return path;
}

}  // namespace

TelemetryFile::TelemetryFile(const std::string& path, const std::vector<std::string>& phases,
                             std::optional<TelemetryMark> last)
    : file_(cut_back(path, phases, last)) {}

void TelemetryFile::add(std::span<const TelemetryRow> rows) {
  for (const TelemetryRow& row : rows) pending_ += text_of(row);
}

void TelemetryFile::flush() {
  if (pending_.empty()) return;
  file_.append(std::as_bytes(std::span(pending_)));
  pending_.clear();
  file_.sync();
}

std::vector<TelemetryRow> read_telemetry(const std::string& path) {
  std::vector<TelemetryRow> rows;
  if (!std::filesystem::exists(path)) return rows;
  const std::vector<std::byte> bytes = read_file(path, kLargestFile);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string_view::npos; begin = end + 1) {
    try {
      rows.push_back(
          telemetry_from_json(config::parse_json(text.substr(begin, end - begin), path)));
    } catch (const DataError&) {
      break;
    } catch (const config::Json::exception&) {
      break;
    }
  }
  return rows;
}

}  // namespace pare
