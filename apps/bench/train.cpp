#include "apps/bench/train.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/bench/pytorch.h"
#include "apps/bench/tables.h"
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

// Two PyTorches of one version are two columns.
std::string name_beside(const std::vector<Contender>& others, const std::string& name) {
  const auto same = std::count_if(others.begin(), others.end(), [&](const Contender& other) {
    return other.name == name || other.name.starts_with(name + " #");
  });
  return same == 0 ? name : name + " #" + std::to_string(same + 1);
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
      Contender peer = worker(command);
      for (const std::string& reason : untuned(peer.details)) {
        note(peer.name + " (" + command.arguments[0] + ") is not tuned: " + reason);
      }
      peer.name = name_beside(side.contenders, peer.name);
      side.contenders.push_back(std::move(peer));
    } catch (const Error& error) {
      note(error.what());
    }
  };
  if (job.against.empty()) {
    for (const std::string& python : pythons()) add(pytorch(python, keys_of(job)));
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
          .spread = ours.spread,
          .own_spread = ours.spread};
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
      rows.back().details = s.contenders[i].details;
    }
    if (s.contenders.size() == 1) rows.push_back(row);
    if (ours > 0) beside(kOwnFloat, times[0]);
    ours += s.contenders.size();
  }
  return rows;
}

void serve_training(const TrainJob& job) {
  set_thread_count(job.threads);
  Training training(job.net, job.batch, job.qat, job.width);
  for (int i = 0; i < 3; ++i) training.step();
  const Clock clock = job.wall ? Clock::wall : clock_for(job.threads);
  Contender self = caller(
      "pare", [&] { training.step(); }, clock);
  self.details = nlohmann::json{{"flops", training.flops()}}.dump();
  serve(self);
}

}  // namespace pare::bench
