// `bench`: measurements against peers. One subcommand per kind; what they do is in bench/.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "apps/bench/infer.h"
#include "apps/bench/networks.h"
#include "framework/base/error.h"
#include "framework/base/text.h"

namespace pare::bench {
namespace {

struct Options {
  std::string net;         // empty: all
  std::int64_t batch = 0;  // 0: 1 and 64
  int threads = 0;         // 0: 1 and 2
  double seconds = 1;
  std::string kernels;
  bool layers = false, json = false;
};

constexpr const char* kFooter = R"(
Peers are looked for in the folders of $PARE_PEERS, then on the system; a missing one is a message and no row.
Ratios above 1 mean that we are faster; `least` is the ratio of the shortest times, which other work on the
machine disturbs less than medians.

Examples:
  ./pare bench infer --net N2
  ./pare bench infer --batch 1 --threads 1 --layers
  PARE_PEERS=~/peers ./pare bench infer --json

Exit codes: 0 done; 1 failed; 2 command line.)";

CLI::App* add_infer(CLI::App& app, Options& o) {
  CLI::App* infer = app.add_subcommand("infer", "latency and throughput of the integer engine");
  infer->add_option("--net", o.net, "one of " + join(network_names(), ", ") + "; default: all")
      ->type_name("NET");
  infer->add_option("--batch", o.batch, "images at a time; default: 1 and 64")
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
  infer->add_option("--threads", o.threads, "default: 1 and 2")
      ->type_name("N")
      ->check(CLI::Range(1, 64));
  infer->add_option("--seconds", o.seconds, "measuring time per contender and row")
      ->check(CLI::Range(0.01, 600.0));
  infer->add_option("--kernels", o.kernels, "an instruction set in place of the best");
  infer->add_flag("--layers", o.layers, "the time of each layer, and the kernel chosen for it");
  infer->add_flag("--json", o.json, "one JSON document");
  infer->footer(kFooter);
  return infer;
}

std::optional<Options> parse(int argc, char** argv) {
  Options o;
  CLI::App app("Measures against peers.", "./pare bench");
  app.require_subcommand(1);
  app.footer(kFooter);
  const CLI::App* infer = add_infer(app, o);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs((infer->parsed() ? infer : &app)->help().c_str(), stdout);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw ConfigError(std::string(error.what()) + "; see ./pare bench --help");
  }
  return o;
}

void note(const std::string& message) { std::fprintf(stderr, "%s\n", message.c_str()); }

std::vector<Row> infer(const Options& o) {
  const std::vector<std::string> nets =
      o.net.empty() ? network_names() : std::vector<std::string>{o.net};
  std::vector<std::int64_t> batches{1, 64};
  if (o.batch > 0) batches = {o.batch};
  std::vector<int> threads{1, 2};
  if (o.threads > 0) threads = {o.threads};
  std::vector<Row> rows;
  for (const std::string& net : nets) {
    if (o.layers) note(net + "\n" + layer_times(net, o.kernels));
    for (const std::int64_t batch : batches) {
      for (const int count : threads) {
        for (const Row& row : bench_infer({net, batch, count, o.kernels, o.seconds}, note)) {
          rows.push_back(row);
        }
      }
    }
  }
  return rows;
}

int run(int argc, char** argv) {
  const std::optional<Options> options = parse(argc, argv);
  if (!options) return 0;
  const std::vector<Row> rows = infer(*options);
  std::fputs((options->json ? json(rows) : table(rows)).c_str(), stdout);
  return 0;
}

int failed(ExitCode code, const char* kind, const char* message) {
  std::fprintf(stderr, "%s: %s\n", kind, message);
  return static_cast<int>(code);
}

}  // namespace
}  // namespace pare::bench

int main(int argc, char** argv) {
  using pare::ExitCode;
  try {
    return pare::bench::run(argc, argv);
  } catch (const pare::Error& error) {
    return pare::bench::failed(error.code(), "error", error.what());
  } catch (const std::exception& error) {
    return pare::bench::failed(ExitCode::failed, "internal error", error.what());
  }
}
