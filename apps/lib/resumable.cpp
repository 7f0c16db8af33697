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
  if (!fs::exists(path)) return std::nullopt;
  const std::vector<std::byte> bytes = read_file(path, kLargestHdf5);
  try {
    return decode_checkpoint(bytes, path);
  } catch (const DataError& error) {
    if (is_undamaged(bytes)) {
      throw DataError(error.what() +
                      std::string("; its checksum is right, so the file is whole. Try with more "
                                  "memory, or start again with --overwrite"));
    }
    console.warn(error.what());
    return std::nullopt;
  }
}

// What cannot be read is kept beside what takes its place: somebody may yet repair it.
void set_aside(const RunFolder& folder, Console& console) {
  for (const std::string& path : {folder.last_checkpoint(), folder.best_checkpoint()}) {
    if (!fs::exists(path)) continue;
    std::error_code error;
    fs::rename(path, path + ".damaged", error);
    if (error) throw FailedError(path + ": cannot be renamed: " + error.message());
    console.warn(path + " is kept as " + path + ".damaged");
  }
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
  for (const std::string& path : {folder.last_checkpoint(), folder.best_checkpoint()}) {
    std::optional<Checkpoint> checkpoint = valid_checkpoint(path, console);
    if (!checkpoint || (newest && !is_newer(checkpoint->state, newest->checkpoint.state))) continue;
    newest = Resumable{std::move(*checkpoint), path, {}};
  }
  if (!newest) {
    set_aside(folder, console);
    return newest;
  }
  require_same_run(newest->checkpoint, config::write(config), data_hash, newest->path);
  newest->best = best_arrays(newest->checkpoint.state, folder, config, data_hash);
  return newest;
}

}  // namespace pare
