#include "apps/bench/kernels.h"

#include <algorithm>
#include <filesystem>

#include "apps/bench/kernel_table.h"
#include "apps/bench/worker.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/base/text.h"

namespace pare::bench {
namespace {

const KernelRow& row_of(const std::string& name) {
  for (const KernelRow& row : kernel_table()) {
    if (row.name == name) return row;
  }
  throw ConfigError("--kernel " + name + suggestion(name, kernel_names()) +
                    ": expected one of\n  " + join(kernel_names(), "\n  "));
}

WorkerCommand build_of_ours(const std::string& program, const std::string& kernel, int threads) {
  return {{program, "worker", "kernel", "--kernel", kernel, "--threads", std::to_string(threads)}};
}

}  // namespace

const std::vector<std::string>& kernel_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const KernelRow& row : kernel_table()) all.push_back(row.name);
    return all;
  }();
  return names;
}

std::vector<Row> bench_kernel(const KernelJob& job,
                              const std::function<void(const std::string&)>& note) {
  const KernelRow& kernel = row_of(job.name);
  const KernelRow& top = roof_of(kernel);
  std::vector<Contender> all{worker(build_of_ours(own_program(), kernel.name, job.threads)),
                             worker(build_of_ours(own_program(), top.name, job.threads))};
  std::vector<double> work{kernel.work(), top.work()};
  if (!job.against.empty()) {
    const std::string other = (std::filesystem::path(job.against) / "bin" / "bench").string();
    try {
      all.push_back(worker(build_of_ours(other, kernel.name, job.threads)));
      work.push_back(kernel.work());
    } catch (const Error& error) {
      note(error.what());
    }
  }
  const std::vector<Timing> times = measure(all, job.seconds);
  const auto speed = [&](std::size_t i) { return 1e-9 * work[i] / times[i].median; };
  const Row ours{.net = kernel.name,
                 .threads = job.threads,
                 .mode = "fp32",
                 .ours = speed(0),
                 .spread = times[0].spread,
                 .unit = kernel.bound == Bound::arithmetic ? "GFLOP/s" : "GB/s",
                 .call = Call{1e6 * times[0].median, kernel.flops, kernel.bytes}};
  std::vector<Row> rows;
  for (std::size_t i = 1; i < all.size(); ++i) {
    rows.push_back(against(ours, i == 1 ? top.name : job.against, speed(i), times[0], times[i]));
    if (i == 1) {  // another amount of work: speeds compare, times do not
      rows.back().ratio = speed(0) / speed(1);
      rows.back().least_ratio *= work[0] / work[1];
    }
  }
  return rows;
}

void serve_kernel(const std::string& name, int threads) {
  const KernelRow& row = row_of(name);
  set_thread_count(threads);
  const KernelCall kernel = row.make();
  serve(caller("pare", kernel.call, clock_for(threads), kernel.before));
}

}  // namespace pare::bench
