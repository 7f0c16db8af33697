#include "apps/lib/resumable.h"

#include <filesystem>

#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/config/config.h"

namespace pare {
namespace {

namespace fs = std::filesystem;

// Nothing where the file is damaged. One that is whole but cannot be read (by this version, or with
// so little memory) is an error: going on without it would write over it.
std::optional<Checkpoint> valid_checkpoint(const std::string& path, Console& console) {
  const std::vector<std::byte> bytes = read_file(path, kLargestHdf5);
  try {
    return decode_checkpoint(bytes, path);
  } catch (const DataError& error) {
    if (is_undamaged(bytes)) {
      throw DataError(
          path + ": is whole, for its checksum is right, but cannot be read here: " + error.what() +
          ". Try with more memory or the version that wrote it, or start again with "
          "--overwrite");
    }
    console.warn(error.what());
    return std::nullopt;
  }
}

// Kept beside what takes its place: somebody may yet repair it.
void set_aside(const std::string& path, Console& console) {
  std::string kept = path + ".damaged";
  for (int i = 2; fs::exists(kept); ++i) kept = path + ".damaged." + std::to_string(i);
  std::error_code error;
  fs::rename(path, kept, error);
  if (error) throw FailedError(path + ": cannot be renamed: " + error.message());
  console.warn(path + " is kept as " + kept);
}

Checkpoint load_best(const std::string& path) {
  try {
    return load_checkpoint(path);
  } catch (const DataError& error) {
    throw DataError(error.what() +
                    std::string("; it holds the best network so far, which the run needs: put it "
                                "back, or start again with --overwrite"));
  }
}

Snapshot best_arrays(const TrainingState& state, const RunFolder& folder, const RunConfig& config,
                     const std::string& data_hash) {
  if (!state.best) return {};
  const std::string path = folder.best_checkpoint();
  const Checkpoint best = load_best(path);
  require_same_run(best, config::write(config), data_hash, path);
  if (best.state.best != state.best)
    throw DataError(path + ": is not the best network of " + folder.last_checkpoint() +
                    "; start again with --overwrite");
  return part_of(best.arrays, kNetworkArrays);
}

}  // namespace

std::optional<Resumable> find_resumable(const RunFolder& folder, const RunConfig& config,
                                        const std::string& data_hash, Console& console) {
  std::optional<Resumable> newest;
  std::vector<std::string> damaged;
  for (const std::string& path : {folder.last_checkpoint(), folder.best_checkpoint()}) {
    if (!fs::exists(path)) continue;
    std::optional<Checkpoint> checkpoint = valid_checkpoint(path, console);
    if (!checkpoint) damaged.push_back(path);
    if (!checkpoint || (newest && !is_newer(checkpoint->state, newest->checkpoint.state))) continue;
    newest = Resumable{std::move(*checkpoint), path, {}};
  }
  if (newest) {
    require_same_run(newest->checkpoint, config::write(config), data_hash, newest->path);
    newest->best = best_arrays(newest->checkpoint.state, folder, config, data_hash);
  }
  for (const std::string& path : damaged) set_aside(path, console);
  return newest;
}

}  // namespace pare
