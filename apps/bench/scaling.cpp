#include "apps/bench/scaling.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/bench/worker.h"
#include "apps/lib/bench_training.h"

namespace pare::bench {
namespace {

struct Point {
  std::int64_t batch, width;
};

std::vector<Point> points_of(const ScalingJob& job) {
  std::vector<Point> points;
  for (std::int64_t batch = 16; batch <= 256; batch *= 2) points.push_back({batch, 1});
  for (const std::int64_t width : {2, 4}) points.push_back({job.batch, width});
  return points;
}

std::vector<int> thread_counts(int most) {
  std::vector<int> counts;
  for (int count = 1; count < most; count *= 2) counts.push_back(count);
  counts.push_back(most);
  return counts;
}

Contender trainer(const ScalingJob& job, const Point& point, int threads) {
  WorkerCommand command{{own_program(), "worker", "train", "--wall", "--net", job.net, "--batch",
                         std::to_string(point.batch), "--width", std::to_string(point.width),
                         "--threads", std::to_string(threads)}};
  if (job.qat) command.arguments.push_back("--qat");
  return worker(command);
}

std::vector<ScalingRow> rows_of(const ScalingJob& job, const Point& point) {
  const std::vector<int> counts = thread_counts(job.threads);
  std::vector<Contender> all;
  for (const int threads : counts) all.push_back(trainer(job, point, threads));
  const std::vector<Timing> times = measure(all, job.seconds);
  const double flops = nlohmann::json::parse(all[0].details)["flops"].get<double>();
  std::vector<ScalingRow> rows;
  for (std::size_t i = 0; i < all.size(); ++i) {
    rows.push_back({.net = job.net,
                    .mode = job.qat ? "qat" : "fp32",
                    .batch = point.batch,
                    .width = point.width,
                    .threads = counts[i],
                    .updates = 1 / times[i].median,
                    .gflops = 1e-9 * flops / times[i].median,
                    .efficiency = times[0].median / times[i].median / counts[i],
                    .spread = times[i].spread});
  }
  return rows;
}

double images(const ScalingRow& row) { return row.updates * static_cast<double>(row.batch); }

}  // namespace

std::vector<ScalingRow> bench_scaling(const ScalingJob& job) {
  require_network(job.net);
  std::vector<ScalingRow> rows;
  for (const Point& point : points_of(job)) {
    for (ScalingRow& row : rows_of(job, point)) rows.push_back(std::move(row));
  }
  return rows;
}

std::string scaling_table(const std::vector<ScalingRow>& rows) {
  std::string text = fmt::format("{:<4} {:>5} {:>6} {:>6} {:>8} {:>10} {:>10} {:>8} {:>11} {:>7}\n",
                                 "net", "mode", "batch", "width", "threads", "updates/s",
                                 "images/s", "GFLOP/s", "efficiency", "spread");
  for (const ScalingRow& r : rows) {
    text += fmt::format(
        "{:<4} {:>5} {:>6} {:>6} {:>8} {:>10.1f} {:>10.0f} {:>8.1f} {:>11.2f} {:>7.2f}\n", r.net,
        r.mode, r.batch, fmt::format("x{}", r.width), r.threads, r.updates, images(r), r.gflops,
        r.efficiency, r.spread);
  }
  return text;
}

std::string scaling_json(const std::vector<ScalingRow>& rows) {
  nlohmann::ordered_json document;
  document["rows"] = nlohmann::ordered_json::array();
  for (const ScalingRow& r : rows) {
    document["rows"].push_back({{"net", r.net},
                                {"mode", r.mode},
                                {"batch", r.batch},
                                {"width", r.width},
                                {"threads", r.threads},
                                {"updates", r.updates},
                                {"images", images(r)},
                                {"gflops", r.gflops},
                                {"efficiency", r.efficiency},
                                {"spread", r.spread}});
  }
  return document.dump(1) + "\n";
}

}  // namespace pare::bench
