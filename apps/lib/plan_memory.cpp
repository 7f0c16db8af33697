#include "apps/lib/plan_memory.h"

#include <algorithm>
#include <fstream>

#include "apps/lib/methods.h"
#include "apps/lib/phase_optimizer.h"
#include "apps/lib/teachers.h"
#include "framework/tensor/storage.h"

namespace pare {
namespace {

constexpr std::int64_t kEvaluated = 256;  // images at a time, as evaluate.cpp

// Bytes of all tensors and masks that are visited.
class Bytes final : public StateVisitor {
 public:
  void tensor(const std::string&, Tensor& value) override {
    sum_ += static_cast<std::int64_t>(sizeof(float)) * value.size();
  }
  void bytes(const std::string&, std::vector<std::uint8_t>& value) override {
    sum_ += std::ssize(value);
  }
  void integer(const std::string&, std::int64_t&) override {}
  void real(const std::string&, double&) override {}
  std::int64_t sum() const { return sum_; }

 private:
  std::int64_t sum_ = 0;
};

// A line of /proc/self/status, which counts in kB: "VmHWM", the most that was resident, or "VmRSS".
std::int64_t resident(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t kilobytes = 0;
    if (word == name + ":" && status >> kilobytes) return 1024 * kilobytes;
  }
  return 0;
}

Variable zeros(const Network& network, std::int64_t batch) {
  Shape shape{batch};
  for (int i = 0; i < network.input_shape().rank(); ++i) shape.append(network.input_shape()[i]);
  return Variable(Tensor::zeros(shape));
}

void update_once(const RunConfig& run, const PhaseConfig& phase, Network& network,
                 ActiveMethods& methods, PhaseOptimizer& optimizer, std::int64_t batch) {
  const std::vector<std::int32_t> labels(static_cast<std::size_t>(batch), 0);
  const Variable images = zeros(network, batch);
  const Variable logits =
      network.forward(images, Pass::begin(Pass::Mode::train, run.seed, 0));
  const Variable loss = loss_of(phase.loss, logits, labels);
  backward(methods.loss({.images = images.value(), .logits = logits, .loss = loss}));
  optimizer.step(0);
}

void evaluate_once(const RunConfig& run, Network& network, std::int64_t batch) {
  const NoGradient no_gradient;
  network.forward(zeros(network, batch), Pass::begin(Pass::Mode::evaluate, run.seed, 0));
  network.release();
}

}  // namespace

TrainingMemory training_memory(const RunConfig& run, const Dataset& dataset) {
  TrainingMemory memory;
  for (const Images* images : {&dataset.train, &dataset.validation, &dataset.test}) {
    memory.images += std::ssize(images->pixels);
  }
  Network network = build_network(run.model, dataset.train.shape, dataset.classes);
  network.initialize(run.seed);
  ActiveMethods methods(run);
  Teachers teachers(run);
  teachers.load_missing(network);
  const std::int64_t before = memory_statistics().step_bytes_now;
  reset_memory_peak();
  for (const PhaseConfig& phase : run.phases) {
    methods.begin_phase(phase, network);
    teachers.introduce(methods);
    PhaseOptimizer optimizer(phase.optimizer, network);
    const std::int64_t batch = std::min(run.dataset.batch_size, dataset.train.count());
    if (!phase.calibrates()) update_once(run, phase, network, methods, optimizer, batch);
    evaluate_once(run, network, std::min(kEvaluated, dataset.test.count()));
    Bytes bytes;
    network.visit_state(bytes);
    optimizer.visit_state(bytes);
    memory.state = std::max(memory.state, bytes.sum());
    network.release();
    teachers.end_phase(phase, network);
  }
  memory.step = memory_statistics().step_bytes_peak - before;
  // A checkpoint is collected, written by HDF5 in memory and copied out of it.
  constexpr std::int64_t kCopies = 3;
  memory.process = std::max(resident("VmHWM"), resident("VmRSS") + kCopies * memory.state);
  return memory;
}

}  // namespace pare
