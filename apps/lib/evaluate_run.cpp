// A run or a checkpoint brings its own config, and with it the data; a model alone holds integers
// and nothing about where they came from.
#include "apps/lib/evaluate_run.h"

#include <fmt/format.h>

#include <filesystem>

#include "apps/lib/command_line.h"
#include "apps/lib/evaluation.h"
#include "apps/lib/evaluation_report.h"
#include "apps/lib/finish.h"
#include "apps/lib/model_data.h"
#include "apps/lib/recognize.h"
#include "compression/attach.h"
#include "compression/integer/model_file.h"
#include "datasets/load.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/config/config.h"

namespace pare {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFooter = R"(
A run: the network that it kept (checkpoints/best.h5, or last.h5) and its model.pare, which must be what the
checkpoint lowers to. A checkpoint: its network, lowered here. A model: integers only; the data are those of the
config.json beside it, or of --dataset.

Examples:
  ./pare evaluate runs/mnist_qat_prune
  ./pare evaluate runs/mnist_qat_prune/checkpoints/last.h5 --split validation
  ./pare evaluate model.pare --dataset mnist --json

Exit codes: 0 done; 1 failed; 2 command line; 3 data, checkpoint or model missing, damaged, or none of these;
5 the model is not what the checkpoint lowers to.)";

// The images asked for, moved out of the data set.
Images take_split(Dataset& dataset, const std::string& split) {
  if (split == "test") return std::move(dataset.test);
  if (dataset.validation.count() == 0) {
    throw ConfigError("--split validation: the config sets no images aside (dataset.validation)");
  }
  return std::move(dataset.validation);
}

bool is_dense(const Network& network) {
  if (has_activation_quantizers(network)) return false;
  for (const Parameter* parameter : network.parameters()) {
    if (!parameter->chain().empty()) return false;
  }
  return true;
}

// What the run wrote down about its dense network on this split.
std::optional<double> recorded_float(const TrainingState& state, const std::string& split) {
  if (split == "test") return state.float_accuracy;
  std::optional<double> last;
  for (const EpochRow& row : state.rows) {
    if (row.status.empty()) last = row.validation;
  }
  return last;
}

std::string place(const TrainingState& state, const std::string& path) {
  if (state.rows.empty()) return path + " (before the first epoch)";
  return fmt::format("{} (epoch {}, {})", path, state.rows.back().epoch, state.rows.back().phase);
}

// The whole of one evaluation, piece by piece.
class Work {
 public:
  Work(const EvaluateOptions& options, Console& console) : options_(options), console_(console) {}

  Evaluation of_run(const std::string& folder) {
    KeptCheckpoint kept = kept_checkpoint(folder);
    const std::string model = folder + "/model.pare";
    return of_checkpoint(kept.checkpoint, kept.path, fs::exists(model) ? model : "");
  }

  // `model`: a file that must hold what the network lowers to, or "".
  Evaluation of_checkpoint(const Checkpoint& checkpoint, const std::string& path,
                           const std::string& model) {
    const RunConfig run = run_config_of(checkpoint, path);
    Network network = network_of(checkpoint, path);
    Dataset dataset = load(run.dataset, run.seed);
    const bool same_data = dataset.hash == checkpoint.data_hash;
    if (!same_data) {
      console_.warn(path + ": was trained on other images than those found now (a --smoke run?)");
    }
    Evaluation e = begin(dataset, place(checkpoint.state, path));
    const Images images = split_of(dataset);
    require_shape(network.input_shape(), images, path);
    require_classes(network.shape_of(network.output()).without_batch().size(), dataset, path);
    e.expected = images.labels;
    const std::vector<PixelValues> values = pixel_values(dataset);
    e.fake_quant = predict(network, images, values);
    add_float(e, network, checkpoint.state);
    add_integer(e, network, run, dataset, images, model, same_data);
    return e;
  }

  Evaluation of_model(const std::string& path) {
    const integer::Engine engine(integer::load_model(path));
    Dataset dataset = load_model_data({path, options_.dataset, options_.data_dir},
                                      [&](const std::string& text) { console_.warn(text); });
    Evaluation e = begin(dataset, path);
    const Images images = split_of(dataset);
    require_fit(engine.program(), images, path);
    require_classes(engine.output_size(), dataset, path);
    e.expected = images.labels;
    e.float_from = "a model holds integers only";
    std::vector<std::int8_t> codes(images.pixels.size());
    engine.pixels_to_codes(images.pixels, codes);
    run_engine(e, engine, codes, "the integer engine");
    return e;
  }

 private:
  Dataset load(const DatasetConfig& config, std::uint64_t seed) const {
    return load_dataset(config, seed, options_.data_dir,
                        [&](const std::string& text) { console_.warn(text); });
  }

  Evaluation begin(const Dataset& dataset, const std::string& subject) const {
    Evaluation e;
    e.subject = subject;
    e.split = options_.split;
    e.dataset = dataset.kind;
    e.source = dataset.source;
    e.classes = dataset.classes;
    return e;
  }

  Images split_of(Dataset& dataset) const {
    Images images = take_split(dataset, options_.split);
    if (images.count() == 0) throw DataError("there are no " + options_.split + " images");
    return images;
  }

  void add_float(Evaluation& e, const Network& network, const TrainingState& state) const {
    if (is_dense(network)) {
      e.float_accuracy = 0;
      for (std::size_t i = 0; i < e.expected.size(); ++i)
        *e.float_accuracy += (*e.fake_quant)[i] == e.expected[i];
      *e.float_accuracy /= static_cast<double>(e.images());
      e.float_from = "the dense network";
      return;
    }
    e.float_accuracy = recorded_float(state, options_.split);
    e.float_from = e.float_accuracy ? "the dense network, as the run recorded it"
                                    : "the run recorded no dense network";
  }

  void add_integer(Evaluation& e, Network& network, const RunConfig& run, const Dataset& dataset,
                   const Images& images, const std::string& model, bool same_data) const {
    IntegerForm form;
    try {
      form = lower_network(network, run, dataset);
    } catch (const ConfigError& refused) {
      e.integer_from = refused.what();
      return;
    }
    if (model.empty()) {
      const integer::Engine engine(form.program);
      return run_engine(e, engine, codes_of(engine, form.final, images),
                        form.post_training ? "the checkpoint, quantized after training and lowered"
                                           : "the checkpoint, lowered");
    }
    const integer::Engine engine(integer::load_model(model));
    if (same_data && !(engine.program() == form.program)) {
      throw VerificationError(model + ": is not what " + e.subject +
                              " lowers to; one of the two is of another run");
    }
    run_engine(e, engine, codes_of(engine, form.final, images), model);
  }

  void run_engine(Evaluation& e, const integer::Engine& engine, std::span<const std::int8_t> codes,
                  const std::string& from) const {
    e.integer = predict(engine, codes);
    e.integer_from = from;
    e.latency = latency_of(engine, codes.first(static_cast<std::size_t>(engine.input_size())));
  }

  const EvaluateOptions& options_;
  Console& console_;
};

}  // namespace

std::optional<EvaluateOptions> parse_evaluate_options(int argc, const char* const* argv) {
  EvaluateOptions o;
  CLI::App app("Float, fake-quantized and integer accuracy, side by side.", "./pare evaluate");
  app.footer(kFooter);
  app.add_option("RUN|CHECKPOINT|MODEL", o.subject, "what to evaluate")->required();
  app.add_option("--split", o.split, "test (default) or validation")
      ->type_name("SPLIT")
      ->check(CLI::IsMember({"test", "validation"}));
  app.add_option("--dataset", o.dataset, "the data of a model alone: mnist, cifar10, ...")
      ->type_name("KIND");
  app.add_option("--data-dir", o.data_dir, "where data are looked for first")->type_name("DIR");
  app.add_option("--threads", o.threads, "default: the cores of this process")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  app.add_flag("--json", o.json, "one JSON document");
  if (!parse_command_line(app, argc, argv)) return std::nullopt;
  return o;
}

void evaluate_run(const EvaluateOptions& options, Console& console) {
  if (options.threads > 0) set_thread_count(options.threads);
  const Artifact subject = recognize(options.subject);
  if (!options.dataset.empty() && subject.kind != ArtifactKind::model) {
    throw ConfigError("--dataset: is for a model alone; " + std::string(describe(subject.kind)) +
                      " names its data itself");
  }
  Work work(options, console);
  Evaluation evaluation;
  if (subject.kind == ArtifactKind::run) {
    evaluation = work.of_run(subject.path);
  } else if (subject.kind == ArtifactKind::checkpoint) {
    evaluation = work.of_checkpoint(load_checkpoint(subject.path), subject.path, "");
  } else if (subject.kind == ArtifactKind::model) {
    evaluation = work.of_model(subject.path);
  } else {
    throw DataError(subject.path +
                    ": is a config; evaluate takes a run folder, a checkpoint or a model");
  }
  print(options.json ? config::pretty(to_json(evaluation)) : to_text(evaluation));
}

}  // namespace pare
