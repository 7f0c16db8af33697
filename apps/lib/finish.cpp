#include "apps/lib/finish.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "apps/lib/auto/search.h"
#include "apps/lib/evaluate.h"
#include "apps/lib/methods.h"
#include "apps/lib/phases.h"
#include "apps/lib/surroundings.h"
#include "apps/lib/teachers.h"
#include "compression/integer/engine.h"
#include "compression/integer/model_file.h"
#include "compression/lower/lower.h"
#include "compression/post_training.h"
#include "framework/base/error.h"
#include "framework/tensor/storage.h"

namespace pare {
namespace {

constexpr std::int64_t kRehearsalImages = 64;
constexpr int kLatencyRuns = 200;

constexpr const char* kTrainedTooFar =
    ". The same network could become integers before it was trained; its checkpoints stay. A node "
    "whose outputs are next to nothing passes no information on (a relu that never fires?): try a "
    "smaller learning rate, another seed or less sparsity";

std::int64_t correct_labels(std::span<const std::int32_t> found,
                            std::span<const std::int32_t> labels) {
  std::int64_t correct = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) correct += found[i] == labels[i];
  return correct;
}

double median_latency_us(const integer::Engine& engine, std::span<const std::int8_t> image) {
  std::vector<std::int8_t> output(static_cast<std::size_t>(engine.output_size()));
  std::vector<double> times;
  for (int i = 0; i < kLatencyRuns; ++i) {
    const auto start = std::chrono::steady_clock::now();
    engine.run(image, output);
    times.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
            .count());
  }
  const auto middle = times.begin() + kLatencyRuns / 2;
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

// Medians of the engine's steps, by the node whose output a step's first operation makes.
std::map<std::string, double> median_steps_us(const integer::Engine& engine,
                                              std::span<const std::int8_t> image) {
  const std::vector<std::string> steps = engine.steps();
  std::vector<std::vector<std::int64_t>> times(steps.size());
  for (int i = 0; i < kLatencyRuns; ++i) {
    std::vector<std::int64_t> once(steps.size());
    engine.time_steps(image, once);
    for (std::size_t s = 0; s < steps.size(); ++s) times[s].push_back(once[s]);
  }
  std::map<std::string, double> medians;
  for (std::size_t s = 0; s < steps.size(); ++s) {
    const auto middle = times[s].begin() + kLatencyRuns / 2;
    std::nth_element(times[s].begin(), middle, times[s].end());
    medians[steps[s].substr(0, steps[s].find(':'))] = static_cast<double>(*middle) * 1e-3;
  }
  return medians;
}

// True where grids had to be added.
bool add_missing_grids(
    Network& network, const RunConfig& run, const Dataset& dataset, std::int64_t images,
    const BeforeBatch& before_batch = [] {}) {
  if (has_all_grids(network)) return false;
  quantize_after_training(network, [&](const Pass& pass) {
    calibrate(network, dataset.train, pixel_values(dataset), run.seed, images, pass, before_batch);
  });
  network.release();
  return true;
}

}  // namespace

Rehearsal rehearse(const RunConfig& run, const Dataset& dataset) {
  Rehearsal rehearsal{build_network(run.model, dataset.train.shape, dataset.classes), {}};
  Network& network = rehearsal.network;
  network.initialize(run.seed);
  Teachers(run).load_missing(network);  // for its errors
  ActiveMethods methods(run, surroundings_of(run, dataset, [](const std::string&) {}));
  for (const PhaseConfig& phase : run.phases) {
    for (const std::string& name : phase.apply) {
      const auto* config = std::get_if<AutoConfig>(&run.method(name).options);
      if (config) require_reachable(name, *config, run, dataset, network);
    }
    methods.begin_phase(phase, network);
    require_freezable(phase, network);
  }
  if (!run.integer_refusal().empty()) return rehearsal;
  add_missing_grids(network, run, dataset, kRehearsalImages);
  calibrate(network, dataset.train, pixel_values(dataset), run.seed, kRehearsalImages,
            Pass::begin(Pass::Mode::calibrate, run.seed, 0));
  try {
    const FinalNetwork final = make_final(network, run.requantization.rounding);
    rehearsal.program = lower(network, final, run.name, pixel_values(dataset));
  } catch (const ConfigError& refused) {
    throw ConfigError(refused.what() + std::string("; \"report\": {\"integer\": \"none\"} trains "
                                                   "it without an integer form"));
  }
  return rehearsal;
}

std::string integer_fault(Network& network, const RunConfig& run) {
  if (!run.integer_refusal().empty() || !has_all_grids(network)) return "";
  std::string fault;
  try {
    make_final(network, run.requantization.rounding);
  } catch (const ConfigError& refused) {
    fault = refused.what();
  }
  network.release();
  return fault;
}

IntegerForm lower_network(Network& network, const RunConfig& run, const Dataset& dataset) {
  IntegerForm form;
  form.post_training = add_missing_grids(network, run, dataset, CalibrationConfig().images);
  form.final = make_final(network, run.requantization.rounding);
  form.program = lower(network, form.final, run.name, pixel_values(dataset));
  form.bytes = integer::encode_model(form.program);
  return form;
}

std::vector<std::int8_t> codes_of(const integer::Engine& engine, const FinalNetwork& final,
                                  const Images& images) {
  if (images.are_floats()) return input_codes(final, images.values);
  std::vector<std::int8_t> codes(images.pixels.size());
  engine.pixels_to_codes(images.pixels, codes);
  return codes;
}

Outcome finish(Network& network, const RunConfig& run, const Dataset& dataset,
               const VerifyProgress& progress) {
  const Images& test = dataset.test;
  const auto images = static_cast<double>(test.count());
  const std::vector<PixelValues> values = pixel_values(dataset);
  const BeforeBatch measuring = [&] {
    if (progress) progress(0);
  };
  const bool wanted = run.integer_refusal().empty();
  const bool added =
      wanted && add_missing_grids(network, run, dataset, CalibrationConfig().images, measuring);
  Outcome outcome;
  outcome.fake_quant =
      static_cast<double>(count_correct(network, test, values, measuring)) / images;
  if (!wanted) return outcome;
  network.release();
  release_step_memory();  // what verifying takes is of other sizes

  IntegerForm& form = outcome.integer.emplace();
  form.post_training = added;
  if (const std::string fault = integer_fault(network, run); !fault.empty())
    throw ConfigError(fault + kTrainedTooFar);
  form.final = make_final(network, run.requantization.rounding);
  form.program = lower(network, form.final, run.name, values);
  form.bytes = integer::encode_model(form.program);
  // The engine runs what the bytes say, not what they were made from.
  const integer::Engine engine(integer::decode_model(form.bytes, "model.pare"));
  PARE_ENSURE(engine.program() == form.program);
  const std::vector<std::int8_t> codes = codes_of(engine, form.final, test);
  form.verification = verify(network, form.final, engine, codes, progress);
  form.accuracy =
      static_cast<double>(correct_labels(form.verification.labels, test.labels)) / images;
  const auto image = std::span(codes).first(static_cast<std::size_t>(engine.input_size()));
  form.latency_us = median_latency_us(engine, image);
  form.step_us = median_steps_us(engine, image);
  return outcome;
}

double latency_us(const integer::Program& program) {
  const integer::Engine engine(program);
  const auto& input = program.tensors[static_cast<std::size_t>(program.input)];
  const std::vector<std::int8_t> image(static_cast<std::size_t>(input.size()),
                                       static_cast<std::int8_t>(input.zero_point));
  return median_latency_us(engine, image);
}

void require_verified(const Verification& v) {
  if (v.differing == 0) return;
  throw VerificationError(fmt::format(
      "verification failed: {} of {} codes differ; the first: {}. This is a fault of Pare, "
      "not of the config; please report it with the config",
      v.differing, v.codes, v.first));
}

}  // namespace pare
