// `infer`: classifies images with an integer model. Links the integer engine and zlib, nothing else
// of Pare: no float takes part in a result.
#include <CLI/CLI.hpp>
#include <string>
#include <utility>

#include "apps/infer/images.h"
#include "apps/infer/predictions.h"
#include "compression/integer/engine.h"
#include "compression/integer/model_file.h"
#include "framework/base/error.h"
#include "framework/base/program.h"
#include "framework/base/text.h"

namespace pare::infer {
namespace {

struct Options {
  std::string model, images, labels;
  std::int64_t top = 1;
  bool top_given = false;
  bool json = false;
};

constexpr std::int64_t kMostCodes = std::int64_t{1} << 30;  // of the outputs of all images

constexpr const char* kFooter = R"(
Prints one line per image: its number, then class:code. With labels, the accuracy instead (--top or --json
give both).

Examples:
  ./pare infer runs/mnist_qat_prune/model.pare t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz
  ./pare infer model.pare digit.pgm --top 3

Exit codes: 0 done; 1 failed; 2 command line; 3 a model or an image file is missing or damaged, or does
not fit the model.)";

bool parse(int argc, char** argv, Options& o) {
  CLI::App app("Classifies images with an integer model.", "./pare infer");
  app.footer(kFooter);
  app.add_option("MODEL", o.model, "a model.pare")->required();
  app.add_option("IMAGES", o.images, "IDX (plain or .gz), PGM, PPM, or CIFAR's binary records")
      ->required();
  app.add_option("--labels", o.labels, "IDX file with the right labels")->type_name("FILE");
  CLI::Option* top = app.add_option("--top", o.top, "print the best K classes")
                         ->type_name("K")
                         ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 20));
  app.add_flag("--json", o.json, "one JSON document with every code");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    print(app.help());
    return false;
  } catch (const CLI::ParseError& error) {
    const std::vector<std::string> names = {"--labels", "--top", "--json", "--help"};
    for (const std::string& word : app.remaining()) {
      throw ConfigError("unknown argument '" + word + "'" + suggestion(word, names) +
                        "; see ./pare infer --help");
    }
    throw ConfigError(std::string(error.what()) + "; see ./pare infer --help");
  }
  o.top_given = top->count() > 0;
  return true;
}

std::string extents(std::int64_t height, std::int64_t width, std::int64_t channels) {
  return std::to_string(height) + " x " + std::to_string(width) + " x " + std::to_string(channels);
}

void require_fit(const ImageFile& images, const integer::Program& program,
                 const std::string& path) {
  const integer::Tensor& input = program.tensors[static_cast<std::size_t>(program.input)];
  if (images.height != input.height || images.width != input.width ||
      images.channels != input.channels) {
    throw DataError(path + ": expected images of " +
                    extents(input.height, input.width, input.channels) +
                    " (height x width x channels), as the model takes them, got " +
                    extents(images.height, images.width, images.channels));
  }
  const std::int64_t classes = program.tensors[static_cast<std::size_t>(program.output)].size();
  if (images.count() <= kMostCodes / classes) return;
  throw DataError(path + ": expected at most " + std::to_string(kMostCodes / classes) +
                  " images for a model of " + std::to_string(classes) + " classes, got " +
                  std::to_string(images.count()));
}

std::vector<std::int32_t> expected_labels(const Options& o, const ImageFile& images) {
  if (o.labels.empty()) return images.labels;
  std::vector<std::int32_t> labels = read_labels(o.labels);
  if (static_cast<std::int64_t>(labels.size()) == images.count()) return labels;
  throw DataError(o.labels + ": expected one label for each of " + std::to_string(images.count()) +
                  " images, got " + std::to_string(labels.size()));
}

Predictions predict(const integer::Engine& engine, const ImageFile& images) {
  std::vector<std::int8_t> codes(images.pixels.size());
  engine.pixels_to_codes(images.pixels, codes);
  Predictions p{.classes = engine.output_size(), .codes = {}, .labels = {}, .expected = {}};
  p.codes.resize(static_cast<std::size_t>(images.count() * p.classes));
  engine.run(codes, p.codes);
  p.labels.resize(static_cast<std::size_t>(images.count()));
  for (std::int64_t i = 0; i < images.count(); ++i) {
    p.labels[static_cast<std::size_t>(i)] = integer::Engine::label(p.codes_of(i));
  }
  return p;
}

int run(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) return 0;
  integer::Program program = integer::load_model(options.model);
  const ImageFile images = read_images(options.images);
  require_fit(images, program, options.images);  // before anything is prepared for them
  const integer::Engine engine(std::move(program), {.keep_codes = false});
  Predictions predictions = predict(engine, images);
  predictions.expected = expected_labels(options, images);
  std::string text;
  if (options.json) {
    text = json(predictions, engine.program().name, options.top);
  } else {
    if (predictions.expected.empty() || options.top_given) text = lines(predictions, options.top);
    if (!predictions.expected.empty()) text += accuracy_line(predictions);
  }
  print(text);
  return 0;
}

}  // namespace
}  // namespace pare::infer

int main(int argc, char** argv) {
  return pare::run_main([&] { return pare::infer::run(argc, argv); });
}
