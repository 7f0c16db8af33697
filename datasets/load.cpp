// The order matters: the fallback is decided before anything is measured, the split before the
// limit, the hash last.
#include "datasets/load.h"

#include <algorithm>
#include <vector>

#include "datasets/kinds.h"
#include "datasets/normalize.h"
#include "datasets/split.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/io/sha256.h"

namespace pare {
namespace {

// Sets dataset.kind to what was used.
LoadedFiles load_or_fall_back(const DatasetConfig& config, std::uint64_t seed,
                              const std::string& data_dir, const Warn& warn, const Enough& enough,
                              std::string& used_kind) {
  const std::vector<DataFolder> folders = data_folders(data_dir, warn);
  const auto load = [&](const std::string& name) {
    const DatasetKind& kind = dataset_kind(name);
    used_kind = name;
    return kind.load({kind, config, seed, folders, enough});
  };
  if (!config.fallback) return load(config.kind);
  try {
    return load(config.kind);
  } catch (const DataNotFound& missing) {
    warn("using the data set '" + *config.fallback + "' instead of '" + config.kind +
         "' (dataset.fallback), because " + missing.what());
  }
  return load(*config.fallback);
}

std::vector<float> as_floats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

void set_normalization(Dataset& dataset, const DatasetConfig& config) {
  const Normalize& normalize = config.normalize;
  if (normalize.source == Normalize::Source::none) return;
  if (normalize.source == Normalize::Source::given) {
    const auto channels = static_cast<std::size_t>(dataset.train.shape[-1]);
    if (normalize.mean.size() != channels) {
      throw ConfigError("dataset.normalize: expected " + std::to_string(channels) +
                        " values in mean and std (one per "
                        "channel of '" +
                        dataset.kind + "'), got " + std::to_string(normalize.mean.size()));
    }
    dataset.mean = as_floats(normalize.mean);
    dataset.std_dev = as_floats(normalize.std_dev);
    return;
  }
  const DatasetKind& kind = dataset_kind(dataset.kind);
  const Statistics statistics =
      kind.mean.empty() ? measure(dataset.train) : Statistics{kind.mean, kind.std_dev};
  dataset.mean = statistics.mean;
  dataset.std_dev = statistics.std_dev;
}

void cut(Images& images, std::int64_t count) {
  if (count < images.count()) images = first_images(images, count);
}

void hash_split(Sha256& sha, const Images& images) {
  ByteWriter writer;
  for (int axis = 0; axis < images.shape.rank(); ++axis)
    writer.u64(static_cast<std::uint64_t>(images.shape[axis]));
  writer.u64(static_cast<std::uint64_t>(images.count()));
  for (const std::int32_t label : images.labels) writer.i32(label);
  sha.update(std::as_bytes(std::span(images.pixels)));
  sha.update(std::as_bytes(std::span(images.values)));
  sha.update(writer.result());
}

}  // namespace

Dataset load_dataset(const DatasetConfig& config, std::uint64_t seed, const std::string& data_dir,
                     const Warn& warn, const Enough& enough) {
  Dataset dataset;
  const std::int64_t limit = config.limit.value_or(Enough{}.train);
  const Enough kept{std::min(limit, enough.train), std::min(limit, enough.test)};
  LoadedFiles files = load_or_fall_back(config, seed, data_dir, warn, kept, dataset.kind);
  dataset.source = files.source;
  dataset.classes = files.classes;
  dataset.train = std::move(files.train);
  dataset.test = std::move(files.test);
  set_normalization(dataset, config);
  for (Images* images : {&dataset.train, &dataset.test}) {
    if (images->are_floats()) normalize_values(*images, dataset.mean, dataset.std_dev);
  }

  const std::int64_t held_out = validation_count(config.validation, dataset.train.count());
  Split split = split_validation(std::move(dataset.train), held_out, dataset.classes, seed);
  dataset.train = std::move(split.train);
  dataset.validation = std::move(split.validation);
  dataset.uncut_train = std::min(limit, dataset.train.count());
  cut(dataset.train, kept.train);
  cut(dataset.validation, kept.test);
  cut(dataset.test, kept.test);
  dataset.hash = hash_of(dataset);
  return dataset;
}

std::string hash_of(const Dataset& dataset) {
  Sha256 sha;
  for (const Images* images : {&dataset.train, &dataset.validation, &dataset.test})
    hash_split(sha, *images);
  return hex(sha.digest());
}

}  // namespace pare
