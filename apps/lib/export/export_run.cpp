#include "apps/lib/export/export_run.h"

#include <fmt/format.h>

#include <filesystem>

#include "apps/lib/command_line.h"
#include "apps/lib/export/formats.h"
#include "apps/lib/model_data.h"
#include "apps/lib/recognize.h"
#include "compression/integer/model_file.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/config/config.h"

namespace pare {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kUnverifiedImages = 4;  // random ones, for what a form wants to show

constexpr const char* kFooter = R"(
Every form is verified on the first N test images before it is written: generated C is compiled by $CC or cc
and run. The data are those of the config.json beside the model, or of --dataset.

Examples:
  ./pare export runs/mnist_qat_prune --format c99 --out device
  ./pare export model.pare --format c99 --out device --io uint8 --dataset mnist --verify 10000

Exit codes: 0 done; 1 failed; 2 command line, or the format cannot hold the model; 3 data or model missing or
damaged; 5 the form does not give the engine's codes.)";

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const ExportFormat& format : export_formats()) names.emplace_back(format.name);
  return names;
}

std::string model_path(const std::string& subject) {
  const Artifact artifact = recognize(subject);
  if (artifact.kind == ArtifactKind::model) return artifact.path;
  if (artifact.kind != ArtifactKind::run) {
    throw DataError(subject + ": is " + describe(artifact.kind) +
                    "; export takes a model.pare, or a run folder that holds one");
  }
  const std::string path = artifact.path + "/model.pare";
  if (!fs::exists(path)) {
    throw DataError(path +
                    ": is missing: the run has not ended, or has no integer form "
                    "(integer_refused of its result.json says why)");
  }
  return path;
}

Sample make_sample(const ExportOptions& options, const integer::Engine& engine,
                   const std::string& model, Console& console) {
  if (options.verify == 0) return random_sample(engine, kUnverifiedImages);
  const Dataset dataset = load_model_data({model, options.dataset, options.data_dir},
                                          [&](const std::string& text) { console.warn(text); });
  require_fit(engine.program(), dataset.test, model);
  return sample_images(engine, dataset, options.verify);
}

const ExportFormat& format_named(const std::string& name) {
  for (const ExportFormat& format : export_formats()) {
    if (format.name == name) return format;
  }
  throw ConfigError("unknown format " + name);
}

void write_files(const Exported& exported, const std::string& folder) {
  for (const auto& file : exported.files) PARE_ENSURE(file.first.find('/') == std::string::npos);
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) throw FailedError(folder + ": cannot be made: " + failed.message());
  for (const auto& [name, content] : exported.files) {
    write_file_atomically(folder + "/" + name, content);
  }
}

void add_samples(Exported& exported, const Sample& sample) {
  const auto add = [&](const char* name, const auto& values) {
    exported.files.emplace_back(
        name, std::string(reinterpret_cast<const char*>(values.data()), values.size()));
  };
  if (!sample.pixels.empty()) add("pixels.bin", sample.pixels);
  add("codes.bin", sample.codes);
  add("outputs.bin", sample.outputs);
}

std::string text_of(const Exported& exported, const std::string& folder) {
  std::string text = exported.report + exported.verified + "\n";
  for (const auto& [name, content] : exported.files) {
    text += fmt::format("{}/{}  {} bytes\n", folder, name, content.size());
  }
  return text;
}

config::Json json_of(const Exported& exported, const ExportOptions& options, const Sample& sample) {
  config::Json files = config::Json::array();
  for (const auto& [name, content] : exported.files) {
    files.push_back({{"name", name}, {"bytes", content.size()}});
  }
  config::Json json = {{"format", options.format}, {"files", std::move(files)}};
  json["verified"] = exported.verified;
  json["images"] = options.verify == 0 ? 0 : sample.count;
  json.update(exported.json);
  return json;
}

}  // namespace

std::optional<ExportOptions> parse_export_options(int argc, const char* const* argv) {
  ExportOptions o;
  CLI::App app("Writes an integer model in another form and verifies it.", "./pare export");
  app.footer(kFooter);
  app.add_option("MODEL", o.model, "a model.pare, or a run folder")->required();
  app.add_option("--format", o.format, fmt::format("{}", fmt::join(format_names(), ", ")))
      ->type_name("FORMAT")
      ->required()
      ->check(CLI::IsMember(format_names()));
  app.add_option("--out", o.out, "the folder for the files")->type_name("DIR")->required();
  app.add_option("--io", o.io, "type of input and output: int8 (default), or uint8: code + 128")
      ->type_name("TYPE")
      ->check(CLI::IsMember({"int8", "uint8"}));
  app.add_option("--verify", o.verify, "test images to verify with (default: 1000); 0: none")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 31));
  app.add_option("--dataset", o.dataset, "the data of a model alone: mnist, cifar10, ...")
      ->type_name("KIND");
  app.add_option("--data-dir", o.data_dir, "where data are looked for first")->type_name("DIR");
  app.add_flag(
      "--samples", o.samples,
      "write what it was verified with, too: pixels.bin (where data are bytes), codes.bin, "
      "outputs.bin: bytes, and int8 codes, one image after the other");
  app.add_flag("--json", o.json, "one JSON document");
  if (!parse_command_line(app, argc, argv)) return std::nullopt;
  return o;
}

void export_run(const ExportOptions& options, Console& console) {
  const std::string model = model_path(options.model);
  const integer::Engine engine(integer::load_model(model));
  const Sample sample = make_sample(options, engine, model, console);
  const ExportJob job{engine.program(), engine.program().name, options.io == "uint8",
                      options.verify > 0, sample};
  Exported exported = format_named(options.format).run(job);
  if (options.samples) add_samples(exported, sample);
  write_files(exported, options.out);
  print(options.json ? config::pretty(json_of(exported, options, sample))
                     : text_of(exported, options.out));
}

}  // namespace pare
