#include "tests/apps/tiny_run.h"

#include <stdlib.h>

#include <filesystem>
#include <vector>

#include "datasets/digits.h"
#include "datasets/load.h"
#include "framework/config/config.h"

namespace pare {
namespace {

Images part(const Images& all, std::int64_t first, std::int64_t count) {
  const auto size = static_cast<std::size_t>(all.shape.size());
  const auto begin = static_cast<std::size_t>(first), end = static_cast<std::size_t>(first + count);
  Images images;
  images.shape = all.shape;
  images.pixels.assign(all.pixels.begin() + static_cast<std::ptrdiff_t>(begin * size),
                       all.pixels.begin() + static_cast<std::ptrdiff_t>(end * size));
  images.labels.assign(all.labels.begin() + first, all.labels.begin() + first + count);
  return images;
}

Dataset draw() {
  const Images train = make_digits(1, DigitsSplit::train, 320);
  Dataset dataset;
  dataset.kind = "digits";
  dataset.source = "drawn for tests";
  dataset.classes = 10;
  dataset.train = part(train, 0, 256);
  dataset.validation = part(train, 256, 64);
  dataset.test = make_digits(1, DigitsSplit::test, 96);
  dataset.mean = {0.2f};
  dataset.std_dev = {0.3f};
  dataset.hash = hash_of(dataset);
  return dataset;
}

constexpr const char* kConfig = R"({
  "name": "tiny",
  "dataset": { "kind": "digits", "batch_size": 32, "augment": [{ "kind": "shift", "pixels": 1 }] },
  "model": [
    { "kind": "conv2d", "name": "conv", "filters": 8, "kernel": 5, "stride": 2 },
    { "kind": "batch_norm", "name": "norm" },
    { "kind": "relu" },
    { "kind": "max_pool2d", "size": 2 },
    { "kind": "flatten" },
    { "kind": "dropout", "rate": 0.1 },
    { "kind": "dense", "name": "last", "units": 10 }
  ],
  "optimizer": { "kind": "adam", "learning_rate": 0.01 },
  "compression": {
    "prune": { "kind": "prune", "scope": "global",
               "sparsity": { "kind": "polynomial", "to": 0.75, "end": 0.8, "frequency": 2 } },
    "int8": { "kind": "quantize" }
  },
  "phases": [
    { "name": "dense", "epochs": 1 },
    { "name": "prune", "epochs": 2, "apply": ["prune"], "optimizer": { "learning_rate": 0.005 } },
    { "name": "quantize", "epochs": 2, "apply": ["int8"],
      "optimizer": { "learning_rate": { "kind": "cosine", "from": 0.002, "to": 0.0001 } } }
  ]
})";

}  // namespace

const Dataset& tiny_digits() {
  static const Dataset dataset = draw();
  return dataset;
}

RunConfig tiny_config(std::span<const std::string> sets) {
  return config::read<RunConfig>(config::load_text(kConfig, "tiny", sets));
}

RunConfig tiny_config(std::initializer_list<std::string> sets) {
  return tiny_config(std::vector<std::string>(sets));
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "pare-test-XXXXXX").string();
  if (!mkdtemp(name.data())) throw FailedError("no temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace pare
