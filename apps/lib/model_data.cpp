#include "apps/lib/model_data.h"

#include <fmt/format.h>

#include <filesystem>

#include "apps/lib/run_config.h"
#include "datasets/load.h"
#include "framework/base/error.h"
#include "framework/config/config.h"

namespace pare {

namespace fs = std::filesystem;

Dataset load_model_data(const ModelData& from,
                        const std::function<void(const std::string&)>& warn) {
  if (!from.kind.empty()) {
    const auto named = config::read<DatasetConfig>(
        config::load_text(config::Json{{"kind", from.kind}}.dump(), "--dataset " + from.kind));
    return load_dataset(named, 1, from.data_dir, warn);
  }
  const std::string config = (fs::path(from.model).parent_path() / "config.json").string();
  if (!fs::exists(config)) {
    throw ConfigError(from.model +
                      ": a model does not say which data it is for, and no config.json lies "
                      "beside it; name them: --dataset mnist");
  }
  const RunConfig run = load_run_config(config);
  return load_dataset(run.dataset, run.seed, from.data_dir, warn);
}

void require_fit(const integer::Program& program, const Images& images, const std::string& model) {
  const integer::Tensor& input = program.tensors[static_cast<std::size_t>(program.input)];
  const Shape expected{input.height, input.width, input.channels};
  require_shape(expected, images, model);
  if (!images.are_floats()) return;
  throw DataError(model + (program.pixel_codes.empty()
                               ? ": was made for data that are floats, and holds no way from them "
                                 "to its codes; evaluate its run instead, or export --verify 0"
                               : ": takes images of bytes; the data are floats"));
}

void require_shape(const Shape& expected, const Images& images, const std::string& subject) {
  if (images.shape == expected) return;
  throw DataError(fmt::format("{}: takes images of {}; the data are {}", subject,
                              expected.to_string(), images.shape.to_string()));
}

void require_classes(std::int64_t outputs, const Dataset& dataset, const std::string& subject) {
  if (outputs == dataset.classes) return;
  throw DataError(fmt::format("{}: tells {} classes apart; the data ({}) have {}", subject, outputs,
                              dataset.kind, dataset.classes));
}

}  // namespace pare
