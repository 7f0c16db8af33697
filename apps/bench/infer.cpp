#include "apps/bench/infer.h"

#include <algorithm>
#include <utility>

#include "apps/bench/networks.h"
#include "apps/bench/peers.h"
#include "apps/bench/timing.h"
#include "compression/integer/engine.h"
#include "framework/base/parallel.h"

namespace pare::bench {
namespace {

// What rows show for a call that takes so many seconds.
double figure(const InferJob& job, double seconds) {
  return job.batch == 1 ? 1e6 * seconds : static_cast<double>(job.batch) / seconds;
}

Row plain_row(const InferJob& job) {
  return {.net = job.net,
          .batch = job.batch,
          .threads = job.threads,
          .mode = "int8",
          .unit = job.batch == 1 ? "us" : "/s"};
}

}  // namespace

std::vector<Row> bench_infer(const InferJob& job,
                             const std::function<void(const std::string&)>& note) {
  const integer::Engine engine(network(job.net), {.kernels = job.kernels});
  const std::vector<std::int8_t> codes = some_codes(job.batch * engine.input_size());
  std::vector<std::int8_t> outputs(static_cast<std::size_t>(job.batch * engine.output_size()));
  set_thread_count(job.threads);
  std::vector<Contender> contenders;
  contenders.push_back(caller("ours", [&] { engine.run(codes, outputs); }));
  for (Contender& peer : peers(job.net, job.batch, engine.input_size(), job.threads, note)) {
    contenders.push_back(std::move(peer));
  }
  const std::vector<Timing> times = measure(contenders, job.seconds);
  Row ours = plain_row(job);
  ours.ours = figure(job, times[0].median);
  ours.spread = times[0].spread;
  std::vector<Row> rows;
  for (std::size_t i = 1; i < contenders.size(); ++i) {
    rows.push_back(
        against(ours, contenders[i].name, figure(job, times[i].median), times[0], times[i]));
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.ratio < b.ratio; });
  if (rows.empty()) rows.push_back(ours);
  return rows;
}

}  // namespace pare::bench
