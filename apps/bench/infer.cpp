#include "apps/bench/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <span>

#include "apps/bench/networks.h"
#include "apps/bench/peers.h"
#include "apps/bench/timing.h"
#include "compression/integer/engine.h"
#include "compression/integer/operations.h"
#include "compression/integer/schedule.h"
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

std::string layer_times(const std::string& net, const std::string& kernels, std::int64_t batch) {
  const integer::Program program = network(net);
  const integer::Engine engine(program, {.kernels = kernels});
  const std::int64_t images = std::min(batch, engine.max_block());
  const std::vector<std::int8_t> codes = some_codes(images * engine.input_size());
  const std::vector<std::string> steps = engine.steps();
  std::vector<std::int64_t> least(steps.size(), std::numeric_limits<std::int64_t>::max());
  for (int i = 0; i < 1000; ++i) {
    std::vector<std::int64_t> once(steps.size());
    engine.time_steps(codes, once);
    for (std::size_t s = 0; s < steps.size(); ++s) least[s] = std::min(least[s], once[s]);
  }
  std::string text = fmt::format("{}, {} image{} at a time\n", net, images, images == 1 ? "" : "s");
  const integer::Schedule schedule = integer::fused_operations(program);
  for (std::size_t s = 0; s < steps.size(); ++s) {
    const double us = static_cast<double>(least[s]) * 1e-3 / static_cast<double>(images);
    const std::int64_t macs = integer::macs_of(program, program.operations[schedule[s].first]);
    const std::string rate =
        macs > 0 ? fmt::format("{:.0f} GMAC/s", static_cast<double>(macs) / us * 1e-3) : "";
    text += fmt::format("{:>9.2f} us {:>11}  {}\n", us, rate, steps[s]);
  }
  return text;
}

}  // namespace pare::bench
