#include "apps/lib/experiment/shards.h"

#include <fmt/format.h>

#include <set>

namespace pare {
namespace {

// For a shell.
std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

std::string options_text(const ExperimentOptions& options) {
  std::string text = "--config " + quoted(options.config);
  if (!options.out.empty()) text += " --out " + quoted(options.out);
  for (const std::string& set : options.sets) text += " --set " + quoted(set);
  if (options.smoke) text += " --smoke";
  if (options.threads > 0) text += fmt::format(" --threads {}", options.threads);
  if (!options.data_dir.empty()) text += " --data-dir " + quoted(options.data_dir);
  return text;
}

}  // namespace

std::string slurm_script(const Plan& plan, const ExperimentOptions& options) {
  std::set<std::uint64_t> seeds;
  for (const PlannedRow& row : plan.rows) seeds.insert(row.seed);
  const std::size_t tasks =
      options.tasks > 0 ? static_cast<std::size_t>(options.tasks) : seeds.size();
  const int cores = options.jobs > 0 ? options.jobs : 4;
  return fmt::format(
      "#!/bin/bash\n"
      "#SBATCH --job-name={}\n"
      "#SBATCH --array=1-{}\n"
      "#SBATCH --cpus-per-task={}\n"
      "#SBATCH --time=02:00:00\n"
      "#SBATCH --signal=B:TERM@120\n"
      "# Submitted again, every task goes on where it ended. When all are done, the same command\n"
      "# without --shard makes the last tables.\n"
      "exec ./pare experiment {} \\\n  --jobs {} --shard \"$SLURM_ARRAY_TASK_ID/{}\"\n",
      plan.experiment.name, tasks, cores, options_text(options), cores, tasks);
}

std::vector<std::size_t> runs_of_shard(const Plan& plan, const Shard& shard) {
  const std::size_t all = plan.runs.size(), count = static_cast<std::size_t>(shard.count),
                    index = static_cast<std::size_t>(shard.index);
  std::vector<std::size_t> runs;
  for (std::size_t i = all * (index - 1) / count; i < all * index / count; ++i) runs.push_back(i);
  return runs;
}

}  // namespace pare
