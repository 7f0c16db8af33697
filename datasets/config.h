// The "dataset" section of a config: which data, how much of them, and what happens to an image
// before the network.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "datasets/augment.h"
#include "framework/config/forward.h"

namespace pare {

// Two files that belong together, in place of the customary names.
struct ImageFiles {
  std::string images, labels;
  void describe(config::Object& o);
};

// (x - mean) / std per channel, x in [0,1]. In JSON: "default", "none", or the object of the two
// lists.
struct Normalize {
  enum class Source { by_dataset, none, given };
  Source source = Source::by_dataset;
  std::vector<double> mean, std_dev;  // given only; equally many, std above 0

  void describe(config::Object& o);  // the object
  static config::Type<Normalize> type();
};

struct DatasetConfig {
  std::string kind = "mnist";
  std::optional<std::string> fallback;
  std::optional<std::string> folder;      // idx, npy
  std::optional<ImageFiles> train, test;  // idx, npy
  std::int64_t batch_size = 64;
  double validation = 0;
  std::optional<std::int64_t> limit;
  std::vector<Augmentation> augment;
  Normalize normalize;

  void describe(config::Object& o);
};

}  // namespace pare
