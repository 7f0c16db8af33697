#include "apps/lib/recognize.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/config/config.h"
#include "framework/io/hdf5_image.h"
#include "framework/io/keras_h5.h"
#include "framework/io/safetensors.h"

namespace pare {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestFile = std::uint64_t{4} << 30;
constexpr const char* kExpected =
    "expected a run folder, a config (JSON), a checkpoint (.h5) or a model.pare";

struct Magic {
  std::string_view bytes;
  const char* what;
};
constexpr Magic kMagics[] = {
    {{"\x1f\x8b", 2}, "a gzip file"},
    {{"PK\x03\x04", 4}, "a zip archive (a .keras or .npz file?)"},
    {{"\x93NUMPY", 6}, "a NumPy array"},
    {{"\x89PNG", 4}, "a PNG image"},
    {{"\x7f"
      "ELF",
      4},
     "a program"},
    {{"\0\0\x08", 3}, "an IDX file of images or labels"},
    {{"TFL3", 4}, "a TensorFlow Lite model"},
};

bool begins(std::span<const std::byte> bytes, std::string_view magic, std::size_t at = 0) {
  return bytes.size() >= at + magic.size() &&
         std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
}

// What a file that is none of ours may be.
std::string looks_like(std::span<const std::byte> bytes) {
  if (bytes.empty()) return "an empty file";
  if (begins(bytes, "TFL3", 4)) return "a TensorFlow Lite model";
  for (const Magic& magic : kMagics) {
    if (begins(bytes, magic.bytes)) return magic.what;
  }
  if (looks_like_safetensors(bytes)) return "a safetensors file (train --init-from reads it)";
  if (looks_like_hdf5(bytes))
    return "an HDF5 file, but not a checkpoint of ours, or a damaged one (weights of Keras: train "
           "--init-from reads them)";
  const auto some = bytes.first(std::min<std::size_t>(bytes.size(), 512));
  const bool text = std::all_of(some.begin(), some.end(), [](std::byte b) {
    const auto c = std::to_integer<unsigned char>(b);
    return std::isprint(c) || std::isspace(c) || c >= 0x80;
  });
  return text ? "text" : "binary data of no known kind";
}

// A config may begin with blanks and comments.
bool looks_like_json_object(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (std::size_t i = 0; i < text.size();) {
    if (text.substr(i, 2) == "//") {
      i = std::min(text.find('\n', i), text.size());
    } else if (text.substr(i, 2) == "/*") {
      const std::size_t end = text.find("*/", i + 2);
      i = end == std::string_view::npos ? text.size() : end + 2;
    } else if (std::isspace(static_cast<unsigned char>(text[i]))) {
      ++i;
    } else {
      return text[i] == '{';
    }
  }
  return false;
}

// The config of that name among those that came with the source, or the path itself.
std::string found_config(const std::string& path) {
  if (fs::path(path).extension() != ".json") return path;
  try {
    return find_config(path);
  } catch (const ConfigError& error) {
    throw DataError(error.what());
  }
}

}  // namespace

Artifact recognize(const std::string& given) {
  const std::string path = fs::exists(given) ? given : found_config(given);
  if (!fs::exists(path)) throw DataError(path + ": there is no such file or folder");
  if (fs::is_directory(path)) {
    if (fs::exists(path + "/config.json")) return {ArtifactKind::run, path};
    throw DataError(path + ": " + kExpected +
                    "; it is a folder without a config.json, so no run began in it");
  }
  const std::vector<std::byte> bytes = read_file(path, kLargestFile);
  if (begins(bytes, "PARE")) return {ArtifactKind::model, path};
  if (has_hdf5_trailer(bytes)) return {ArtifactKind::checkpoint, path};
  if (!looks_like_safetensors(bytes) && looks_like_json_object(bytes))
    return {ArtifactKind::config, path};
  throw DataError(path + ": " + kExpected + "; it looks like " + looks_like(bytes));
}

const char* describe(ArtifactKind kind) {
  switch (kind) {
    case ArtifactKind::run:
      return "a run folder";
    case ArtifactKind::config:
      return "a config";
    case ArtifactKind::checkpoint:
      return "a checkpoint";
    case ArtifactKind::model:
      return "a model";
  }
  return "";
}

RunConfig run_config_of(const Checkpoint& checkpoint, const std::string& path) {
  try {
    return config::read<RunConfig>(
        config::load_text(checkpoint.config.dump(), path + ", its config"));
  } catch (const ConfigError& error) {
    throw DataError(error.what());
  }
}

KeptCheckpoint kept_checkpoint(const std::string& run_folder) {
  const std::string last = run_folder + "/checkpoints/last.h5";
  const std::string best = run_folder + "/checkpoints/best.h5";
  if (!fs::exists(last) && !fs::exists(best))
    throw DataError(run_folder + ": has no checkpoint yet");
  if (!fs::exists(last)) return {best, load_checkpoint(best)};
  Checkpoint checkpoint = load_checkpoint(last);
  const ReportConfig::Keep keep = run_config_of(checkpoint, last).report.keep;
  if (keep == ReportConfig::Keep::best && checkpoint.state.best)
    return {best, load_checkpoint(best)};
  return {last, std::move(checkpoint)};
}

}  // namespace pare
