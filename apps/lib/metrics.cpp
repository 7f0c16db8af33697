#include "apps/lib/metrics.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/config/parse_json.h"

namespace pare {
namespace {

using config::Json;

constexpr std::uint64_t kLargestMetrics = 1 << 28;
constexpr const char* kTimes[] = {"seconds", "images_per_second"};

Json json_or_null(const std::optional<double>& x) { return x ? Json(*x) : Json(); }

std::optional<double> real_or_none(const Json& json, const char* key) {
  const Json& value = json.at(key);
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

// Texts hold no quotes: names are checked, statuses are ours.
std::string csv_line(const Json& row, bool header) {
  std::string line;
  for (auto it = row.begin(); it != row.end(); ++it) {
    if (it != row.begin()) line += ',';
    if (header) {
      line += it.key();
    } else if (!it->is_null()) {
      line += it->is_string() ? '"' + it->get<std::string>() + '"' : it->dump();
    }
  }
  return line + '\n';
}

// False where the line is not the row's, or none at all.
bool read_times(EpochRow& row, const std::string& line, const std::string& path) {
  try {
    const Json json = config::parse_json(line, path);
    if (json.at("step").get<std::int64_t>() != row.step) return false;
    row.seconds = real_or_none(json, kTimes[0]);
    row.images_per_second = real_or_none(json, kTimes[1]);
    return true;
  } catch (const DataError&) {
    return false;
  } catch (const Json::exception&) {
    return false;
  }
}

}  // namespace

Json to_json(const EpochRow& row) {
  Json json = to_json_without_times(row);
  json["seconds"] = json_or_null(row.seconds);
  json["images_per_second"] = json_or_null(row.images_per_second);
  return json;
}

Json to_json_without_times(const EpochRow& row) {
  return {{"epoch", row.epoch},
          {"phase", row.phase},
          {"step", row.step},
          {"loss", json_or_null(row.loss)},
          {"accuracy", json_or_null(row.accuracy)},
          {"validation", json_or_null(row.validation)},
          {"learning_rate", row.learning_rate},
          {"sparsity", row.sparsity},
          {"at_target", row.at_target},
          {"status", row.status}};
}

EpochRow row_from_json(const Json& json) {
  EpochRow row{.epoch = json.at("epoch").get<std::int64_t>(),
               .phase = json.at("phase").get<std::string>(),
               .step = json.at("step").get<std::int64_t>(),
               .loss = real_or_none(json, "loss"),
               .accuracy = real_or_none(json, "accuracy"),
               .validation = real_or_none(json, "validation"),
               .learning_rate = json.at("learning_rate").get<double>(),
               .sparsity = json.at("sparsity").get<double>(),
               .at_target = json.at("at_target").get<bool>(),
               .status = json.at("status").get<std::string>()};
  if (json.contains(kTimes[0])) row.seconds = real_or_none(json, kTimes[0]);
  if (json.contains(kTimes[1])) row.images_per_second = real_or_none(json, kTimes[1]);
  return row;
}

void write_metrics(const std::vector<EpochRow>& rows, const std::string& jsonl_path,
                   const std::string& csv_path) {
  std::string jsonl, csv = csv_line(to_json(EpochRow()), true);
  for (const EpochRow& row : rows) {
    const Json json = to_json(row);
    jsonl += json.dump() + '\n';
    csv += csv_line(json, false);
  }
  write_file_atomically(jsonl_path, jsonl);
  write_file_atomically(csv_path, csv);
}

void read_times(std::vector<EpochRow>& rows, const std::string& jsonl_path) {
  if (!std::filesystem::exists(jsonl_path)) return;
  const std::vector<std::byte> bytes = read_file(jsonl_path, kLargestMetrics);
  std::istringstream lines(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  std::string line;
  for (EpochRow& row : rows) {
    if (!std::getline(lines, line) || !read_times(row, line, jsonl_path)) return;
  }
}

}  // namespace pare
