#include "apps/bench/train.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "apps/bench/timing.h"
#include "apps/bench/worker.h"
#include "apps/lib/bench_training.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"

namespace pare::bench {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> keys_of(const TrainJob& job) {
  std::vector<std::string> keys{"--net",     job.net,
                                "--batch",   std::to_string(job.batch),
                                "--threads", std::to_string(job.threads)};
  if (job.qat) keys.push_back("--qat");
  return keys;
}

WorkerCommand build_of_ours(const std::string& program, const TrainJob& job) {
  WorkerCommand command{{program, "worker", "train"}};
  for (const std::string& key : keys_of(job)) command.arguments.push_back(key);
  return command;
}

// Whether a Python of this folder has PyTorch: a virtual environment, made by `python3 -m venv`.
bool has_pytorch(const fs::path& environment) {
  std::error_code failed;
  for (const auto& version : fs::directory_iterator(environment / "lib", failed)) {
    if (fs::exists(version.path() / "site-packages" / "torch")) return true;
  }
  return false;
}

// Pythons that may have PyTorch: the environments in the folders of $PARE_PEERS, or those folders
// themselves, and the system's.
std::vector<std::string> pythons() {
  std::vector<fs::path> environments;
  const char* folders = std::getenv("PARE_PEERS");
  std::istringstream list(folders == nullptr ? "" : folders);
  for (std::string folder; std::getline(list, folder, ':');) {
    if (folder.empty()) continue;
    environments.push_back(folder);
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
      environments.push_back(entry.path());
    }
  }
  std::sort(environments.begin(), environments.end());
  std::vector<std::string> found;
  for (const fs::path& environment : environments) {
    if (has_pytorch(environment)) found.push_back((environment / "bin" / "python3").string());
  }
  found.push_back("/usr/bin/python3");
  return found;
}

// PyTorch as benchmarks/peers/README.md says it is fastest: one pool of threads, vectors as wide as
// the processor's, memory that stays in the process.
WorkerCommand pytorch(const std::string& python, const TrainJob& job) {
  WorkerCommand command{{python, PARE_PEER_SCRIPT, "--serve"}};
  for (const std::string& key : keys_of(job)) command.arguments.push_back(key);
  const char* kOpenMpBlas = "/usr/lib/x86_64-linux-gnu/openblas-openmp";
  if (fs::exists(kOpenMpBlas)) command.environment.emplace_back("LD_LIBRARY_PATH", kOpenMpBlas);
  if (__builtin_cpu_supports("avx512f")) {
    command.environment.emplace_back("ATEN_CPU_CAPABILITY", "avx512");
  }
  command.environment.emplace_back(
      "GLIBC_TUNABLES",
      "glibc.malloc.mmap_threshold=2147483648:glibc.malloc.trim_threshold=8589934592:"
      "glibc.malloc.hugetlb=1");
  return command;
}

// Ours first, then its peers, in one mode.
struct Side {
  std::string mode;
  std::vector<Contender> contenders;
};

Side side(const TrainJob& job, const std::function<void(const std::string&)>& note) {
  Side side{job.qat ? "qat" : "fp32", {worker(build_of_ours(own_program(), job))}};
  const auto add = [&](const WorkerCommand& command) {
    try {
      side.contenders.push_back(worker(command));
    } catch (const Error& error) {
      note(error.what());
    }
  };
  if (job.against.empty()) {
    for (const std::string& python : pythons()) add(pytorch(python, job));
  } else {
    add(build_of_ours((fs::path(job.against) / "bin" / "bench").string(), job));
    if (side.contenders.size() > 1) side.contenders.back().name = job.against;
  }
  return side;
}

Row row_of(const TrainJob& job, const std::string& mode, const Timing& ours) {
  return {.net = job.net,
          .batch = job.batch,
          .threads = job.threads,
          .mode = mode,
          .ours = static_cast<double>(job.batch) / ours.median,
          .spread = ours.spread};
}

}  // namespace

std::vector<Row> bench_train(const TrainJob& job,
                             const std::function<void(const std::string&)>& note) {
  require_network(job.net);
  std::vector<Side> sides;
  TrainJob one = job;
  one.qat = false;
  if (job.fp32) sides.push_back(side(one, note));
  one.qat = true;
  if (job.qat) sides.push_back(side(one, note));
  std::vector<Contender> all;
  for (const Side& s : sides) all.insert(all.end(), s.contenders.begin(), s.contenders.end());
  const std::vector<Timing> times = measure(all, job.seconds);

  std::vector<Row> rows;
  std::size_t ours = 0;  // of the side at hand, in `times`
  for (const Side& s : sides) {
    const Row row = row_of(job, s.mode, times[ours]);
    const auto beside = [&](const std::string& name, const Timing& theirs) {
      const double rate = static_cast<double>(job.batch) / theirs.median;
      rows.push_back(against(row, name, rate, times[ours], theirs));
    };
    for (std::size_t i = 1; i < s.contenders.size(); ++i) {
      beside(s.contenders[i].name, times[ours + i]);
    }
    if (s.contenders.size() == 1) rows.push_back(row);
    if (ours > 0) beside("our own fp32", times[0]);
    ours += s.contenders.size();
  }
  return rows;
}

void serve_training(const TrainJob& job) {
  set_thread_count(job.threads);
  Training training(job.net, job.batch, job.qat);
  for (int i = 0; i < 3; ++i) training.step();
  serve(caller(
      "pare", [&] { training.step(); }, clock_for(job.threads)));
}

}  // namespace pare::bench
