#include "apps/lib/resumable.h"

#include <filesystem>

#include "framework/base/error.h"
#include "framework/config/config.h"

namespace pare {
namespace {

std::optional<Checkpoint> valid_checkpoint(const std::string& path, Console& console) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  try {
    return load_checkpoint(path);
  } catch (const DataError& damaged) {
    console.warn(damaged.what());
    return std::nullopt;
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
  if (!newest) return newest;
  require_same_run(newest->checkpoint, config::write(config), data_hash, newest->path);
  newest->best = best_arrays(newest->checkpoint.state, folder, config, data_hash);
  return newest;
}

}  // namespace pare
