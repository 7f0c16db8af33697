// `bench`: measurements against peers. One subcommand per kind; what they do is in bench/.
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "apps/bench/infer.h"
#include "apps/bench/kernels.h"
#include "apps/bench/layers.h"
#include "apps/bench/networks.h"
#include "apps/bench/scaling.h"
#include "apps/bench/sparse.h"
#include "apps/bench/tables.h"
#include "apps/bench/train.h"
#include "framework/base/error.h"
#include "framework/base/program.h"
#include "framework/base/text.h"

namespace pare::bench {
namespace {

struct Options {
  std::string net;         // empty: all
  std::int64_t batch = 0;  // 0: the subcommand's usual ones
  int threads = 0;         // 0: the subcommand's usual ones
  double seconds = 0;      // 0: the subcommand's own
  std::string mode;        // train: fp32, qat; empty: both
  std::string against;     // a build folder
  std::string kernel;      // kernels: part of a name; worker: a whole one
  std::string kernels;     // infer: an instruction set
  std::int64_t width = 1;  // worker
  bool qat = false, wall = false, layers = false, filters = false, scaling = false, json = false;
};

constexpr const char* kFooter = R"(
Peers are looked for in the folders of $PARE_PEERS, then on the system; a missing one is a message and no row.
Ratios above 1 mean that we are faster; `least` is the ratio of the shortest times, which other work on the
machine disturbs less than medians.

Examples:
  ./pare bench infer --net N2
  ./pare bench train --net N1 --threads 2
  ./pare bench train --net N2 --scaling
  ./pare bench kernels --kernel "conv 28x28x1" --threads 1
  ./pare bench infer --batch 1 --threads 1 --layers
  ./pare bench sparse --batch 1 --threads 1
  PARE_PEERS=~/peers ./pare bench infer --json

Exit codes: 0 done; 1 failed; 2 command line.)";

void add_common(CLI::App& app, Options& o) {
  app.add_option("--threads", o.threads, "default: 1 and 2")
      ->type_name("N")
      ->check(CLI::Range(1, 64));
  app.add_option("--seconds", o.seconds, "measuring time per contender and row")
      ->check(CLI::Range(0.01, 600.0));
  app.add_flag("--json", o.json, "one JSON document");
  app.footer(kFooter);
}

void add_net(CLI::App& app, Options& o, const std::string& batches) {
  app.add_option("--net", o.net, "one of " + join(network_names(), ", ") + "; default: all")
      ->type_name("NET");
  app.add_option("--batch", o.batch, "images at a time; default: " + batches)
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
}

void add_against(CLI::App& app, Options& o) {
  app.add_option("--against", o.against, "another build folder, in place of PyTorch")
      ->type_name("BUILD_DIR")
      ->check(CLI::ExistingDirectory);
}

CLI::App* add_infer(CLI::App& app, Options& o) {
  CLI::App* infer = app.add_subcommand("infer", "latency and throughput of the integer engine");
  add_net(*infer, o, "1 and 64");
  add_common(*infer, o);
  infer->add_option("--kernels", o.kernels, "an instruction set in place of the best");
  infer->add_flag("--layers", o.layers, "the time of each layer, and the kernel chosen for it");
  return infer;
}

CLI::App* add_train(CLI::App& app, Options& o) {
  CLI::App* train = app.add_subcommand("train", "training steps, with and without quantization");
  add_net(*train, o, "64 and 128");
  add_common(*train, o);
  add_against(*train, o);
  train->add_option("--mode", o.mode, "fp32 or qat; default: both, and their ratio")
      ->check(CLI::IsMember({"fp32", "qat"}));
  train->add_flag("--scaling", o.scaling,
                  "no peers, but batches of 16 to 256, widths of 1 to 4 times the network's (at "
                  "--batch), 1 to --threads threads");
  return train;
}

CLI::App* add_kernels(CLI::App& app, Options& o) {
  CLI::App* kernels =
      app.add_subcommand("kernels", "training's kernels against the processor's roof");
  kernels->add_option("--kernel", o.kernel, "those whose name contains this; default: all")
      ->type_name("TEXT");
  add_common(*kernels, o);
  add_against(*kernels, o);
  return kernels;
}

CLI::App* add_sparse(CLI::App& app, Options& o) {
  CLI::App* sparse =
      app.add_subcommand("sparse", "what zeros and removed filters save in the integer engine");
  sparse->add_option("--batch", o.batch, "images at a time; default: 1 and 64")
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
  sparse->add_flag("--filters", o.filters, "networks with half of their filters, not layers");
  add_common(*sparse, o);
  return sparse;
}

// What the measurements start as processes of their own (worker.h).
CLI::App* add_worker(CLI::App& app, Options& o) {
  CLI::App* worker = app.add_subcommand("worker")->group("");
  worker->require_subcommand(1);
  worker->add_subcommand("train")->fallthrough();
  worker->add_subcommand("kernel")->fallthrough();
  worker->add_option("--net", o.net);
  worker->add_option("--batch", o.batch);
  worker->add_option("--threads", o.threads);
  worker->add_option("--kernel", o.kernel);
  worker->add_option("--width", o.width);
  worker->add_flag("--qat", o.qat);
  worker->add_flag("--wall", o.wall);
  return worker;
}

void note(const std::string& message) { std::fprintf(stderr, "%s\n", message.c_str()); }

std::vector<std::string> nets(const Options& o) {
  return o.net.empty() ? network_names() : std::vector<std::string>{o.net};
}

template <class Number>
std::vector<Number> given_or(Number given, std::vector<Number> usual) {
  return given > 0 ? std::vector<Number>{given} : usual;
}

void append(std::vector<Row>& rows, std::vector<Row> more) {
  rows.insert(rows.end(), more.begin(), more.end());
}

// Beside the rows: the kernels of each network, with --layers also their times.
std::vector<Row> infer(const Options& o, std::vector<NetLayers>& layers) {
  std::vector<Row> rows;
  for (const std::string& net : nets(o)) {
    if (!o.layers) layers.push_back(chosen_kernels(net, o.kernels));
    for (const std::int64_t batch : given_or<std::int64_t>(o.batch, {1, 64})) {
      if (o.layers) {
        layers.push_back(layer_times(net, o.kernels, batch));
        if (!o.json) note(text(layers.back()));
      }
      for (const int count : given_or(o.threads, {1, 2})) {
        const double seconds = o.seconds > 0 ? o.seconds : 1;
        append(rows, bench_infer({net, batch, count, o.kernels, seconds}, note));
      }
    }
  }
  return rows;
}

std::vector<Row> train(const Options& o) {
  std::vector<Row> rows;
  for (const std::string& net : nets(o)) {
    for (const std::int64_t batch : given_or<std::int64_t>(o.batch, {64, 128})) {
      for (const int count : given_or(o.threads, {1, 2})) {
        TrainJob job{.net = net, .batch = batch, .threads = count, .against = o.against};
        job.fp32 = o.mode != "qat";
        job.qat = o.mode != "fp32";
        if (o.seconds > 0) job.seconds = o.seconds;
        append(rows, bench_train(job, note));
      }
    }
  }
  return rows;
}

std::vector<ScalingRow> scaling(const Options& o) {
  if (!o.against.empty()) throw ConfigError("--scaling measures one build, without --against");
  std::vector<ScalingRow> rows;
  for (const std::string& net : nets(o)) {
    ScalingJob job{.net = net, .qat = o.mode == "qat"};
    if (o.batch > 0) job.batch = o.batch;
    if (o.threads > 0) job.threads = o.threads;
    if (o.seconds > 0) job.seconds = o.seconds;
    for (ScalingRow& row : bench_scaling(job)) rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Row> kernels(const Options& o) {
  std::vector<Row> rows;
  for (const std::string& name : kernel_names()) {
    if (name.find(o.kernel) == std::string::npos) continue;
    for (const int count : given_or(o.threads, {1, 2})) {
      KernelJob job{.name = name, .threads = count, .against = o.against};
      if (o.seconds > 0) job.seconds = o.seconds;
      append(rows, bench_kernel(job, note));
    }
  }
  if (!rows.empty()) return rows;
  throw ConfigError("--kernel " + o.kernel + ": no kernel's name contains it; there are\n  " +
                    join(kernel_names(), "\n  "));
}

std::vector<Row> sparse(const Options& o) {
  std::vector<Row> rows;
  for (const std::int64_t batch : given_or<std::int64_t>(o.batch, {1, 64})) {
    for (const int count : given_or(o.threads, {1, 2})) {
      SparseJob job{.batch = batch, .threads = count};
      if (o.seconds > 0) job.seconds = o.seconds;
      append(rows, o.filters ? bench_half_networks(job) : bench_sparse_layers(job));
    }
  }
  return rows;
}

void work(const CLI::App& worker, const Options& o) {
  if (worker.got_subcommand("kernel")) return serve_kernel(o.kernel, o.threads);
  serve_training({.net = o.net,
                  .batch = o.batch,
                  .threads = o.threads,
                  .qat = o.qat,
                  .width = o.width,
                  .wall = o.wall});
}

int run(int argc, char** argv) {
  Options o;
  CLI::App app("Measures against peers.", "./pare bench");
  app.require_subcommand(1);
  app.footer(kFooter);
  const CLI::App* infer_command = add_infer(app, o);
  const CLI::App* train_command = add_train(app, o);
  const CLI::App* kernels_command = add_kernels(app, o);
  const CLI::App* sparse_command = add_sparse(app, o);
  const CLI::App* worker_command = add_worker(app, o);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* asked = &app;
    for (const CLI::App* command :
         {infer_command, train_command, kernels_command, sparse_command}) {
      if (command->parsed()) asked = command;
    }
    print(asked->help());
    return 0;
  } catch (const CLI::ParseError& error) {
    throw ConfigError(std::string(error.what()) + "; see ./pare bench --help");
  }
  if (worker_command->parsed()) {
    work(*worker_command, o);
    return 0;
  }
  if (o.scaling) {
    const std::vector<ScalingRow> rows = scaling(o);
    print(o.json ? scaling_json(rows) : scaling_table(rows));
    return 0;
  }
  std::vector<NetLayers> layers;
  const std::vector<Row> rows = infer_command->parsed()    ? infer(o, layers)
                                : train_command->parsed()  ? train(o)
                                : sparse_command->parsed() ? sparse(o)
                                                           : kernels(o);
  const auto shown = train_command->parsed()     ? train_table
                     : kernels_command->parsed() ? kernel_lines
                                                 : table;
  print(o.json ? json(rows, layers) : shown(rows));
  return 0;
}

}  // namespace
}  // namespace pare::bench

int main(int argc, char** argv) {
  return pare::run_main([&] { return pare::bench::run(argc, argv); });
}
