#include "apps/bench/sparse.h"

#include <fmt/format.h>

#include <memory>
#include <variant>

#include "apps/bench/networks.h"
#include "compression/integer/engine.h"
#include "compression/integer/operations.h"
#include "framework/base/parallel.h"
#include "framework/random.h"

namespace pare::bench {
namespace {

using integer::Program;

// What becomes zero together: outputs x inputs of a layer's matrix.
struct Structure {
  const char* name;
  std::int64_t outputs, inputs;
};
constexpr Structure kStructures[] = {
    {"elements", 1, 1}, {"blocks 1x16", 1, 16}, {"blocks 16x1", 16, 1}, {"blocks 16x4", 16, 4}};
constexpr int kSparsities[] = {50, 75, 90, 95};

struct LayerCase {
  const char* name;
  const char* net;
  std::size_t operation;
};
constexpr LayerCase kLayers[] = {
    {"N1 dense 784-300", "N1", 0}, {"N3 conv 5x5 20-50", "N3", 2}, {"N4 dense 2048-1024", "N4", 4}};

// The operation alone.
Program single_layer(const LayerCase& layer) {
  const Program net = network(layer.net);
  Program program;
  program.name = layer.net;
  program.operations = {net.operations[layer.operation]};
  std::visit(
      [&](auto& op) {
        if constexpr (requires { op.weights; }) {
          program.tensors = {net.tensors[static_cast<std::size_t>(op.input)],
                             net.tensors[static_cast<std::size_t>(op.output)]};
          op.input = 0;
          op.output = 1;
        }
      },
      program.operations[0]);
  program.output = 1;
  return program;
}

Program with_zeros(Program program, const Structure& structure, int percent) {
  Random random(1, Stream::test, name_hash(structure.name));
  const integer::Tensor in = program.tensors[0], out = program.tensors[1];
  std::visit(
      [&](auto& op) {
        if constexpr (requires { op.weights; }) {
          const std::int64_t taps = weight_layout(op, in, out).taps;
          for (std::int64_t o = 0; o < out.channels; o += structure.outputs) {
            for (std::int64_t t = 0; t < taps; t += structure.inputs) {
              if (static_cast<int>(random.below(100)) >= percent) continue;
              for (std::int64_t c = o;
                   c < std::min<std::int64_t>(o + structure.outputs, out.channels); ++c) {
                for (std::int64_t k = t; k < std::min(t + structure.inputs, taps); ++k) {
                  op.weights.codes[static_cast<std::size_t>(c * taps + k)] = 0;
                }
              }
            }
          }
        }
      },
      program.operations[0]);
  return program;
}

// Weights of four bits: what kernels keep packed.
Program with_nibbles(Program program) {
  std::visit(
      [](auto& op) {
        if constexpr (requires { op.weights; }) {
          for (std::int8_t& code : op.weights.codes) code = static_cast<std::int8_t>(code / 16);
        }
      },
      program.operations[0]);
  return program;
}

std::int64_t multiplications(const Program& program) {
  std::int64_t sum = 0;
  for (const integer::Operation& operation : program.operations) {
    std::visit(
        [&](const auto& op) {
          if constexpr (requires { op.weights; }) {
            const integer::Tensor& out = program.tensors[static_cast<std::size_t>(op.output)];
            sum += std::ssize(op.weights.codes) * out.height * out.width;
          }
        },
        operation);
  }
  return sum;
}

// A program with its inputs and outputs, ready to be called.
struct Running {
  explicit Running(const Program& program, std::int64_t batch) : engine(program) {
    codes = some_codes(batch * engine.input_size());
    outputs.resize(static_cast<std::size_t>(batch * engine.output_size()));
  }
  integer::Engine engine;
  std::vector<std::int8_t> codes, outputs;
};

Contender contender(const std::string& name, const Program& program, std::int64_t batch) {
  const auto running = std::make_shared<Running>(program, batch);
  return caller(name, [running] { running->engine.run(running->codes, running->outputs); });
}

// The first contender is what the others are compared with.
std::vector<Row> rows_of(const SparseJob& job, const std::string& peer,
                         const std::vector<Contender>& contenders) {
  set_thread_count(job.threads);
  const std::vector<Timing> times = measure(contenders, job.seconds);
  std::vector<Row> rows;
  for (std::size_t i = 1; i < contenders.size(); ++i) {
    const Row row{.net = contenders[i].name,
                  .batch = job.batch,
                  .threads = job.threads,
                  .mode = "int8",
                  .ours = 1e6 * times[i].median,
                  .unit = "us"};
    rows.push_back(against(row, peer, 1e6 * times[0].median, times[i], times[0]));
  }
  return rows;
}

}  // namespace

std::vector<Row> bench_sparse_layers(const SparseJob& job) {
  std::vector<Row> rows;
  for (const LayerCase& layer : kLayers) {
    const Program dense = single_layer(layer);
    std::vector<Contender> contenders = {
        contender("dense", dense, job.batch),
        contender(fmt::format("{}, 4 bits", layer.name), with_nibbles(dense), job.batch)};
    for (const Structure& structure : kStructures) {
      for (const int percent : kSparsities) {
        contenders.push_back(
            contender(fmt::format("{}, {} {} % zero", layer.name, structure.name, percent),
                      with_zeros(dense, structure, percent), job.batch));
      }
    }
    for (Row& row : rows_of(job, "no zeros", contenders)) rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Row> bench_half_networks(const SparseJob& job) {
  std::vector<Row> rows;
  for (const std::string& name : network_names()) {
    const Program all = network(name), half = network(name, 2);
    const double ratio =
        static_cast<double>(multiplications(all)) / static_cast<double>(multiplications(half));
    const std::vector<Contender> contenders = {
        contender("all", all, job.batch),
        contender(fmt::format("{}, half of the filters: {:.2f} x fewer MACs", name, ratio), half,
                  job.batch)};
    for (Row& row : rows_of(job, "all filters", contenders)) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace pare::bench
