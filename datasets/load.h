// From a config to a Dataset: find or draw the files, split off the validation images, cut to the
// limit, hash.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "datasets/config.h"
#include "datasets/dataset.h"
#include "datasets/search.h"

namespace pare {

// How many images are enough: the first ones of the training split, and of validation and test.
struct Enough {
  std::int64_t train = std::numeric_limits<std::int64_t>::max();
  std::int64_t test = std::numeric_limits<std::int64_t>::max();
};

// `data_dir` (from --data-dir) may be empty. Where the data are not found and the config names a
// fallback, that is used and `warn` is told why; Dataset::kind and ::source say what was really
// used. Throws DataError (missing without a fallback, damaged) and ConfigError (a validation split
// or a normalisation that does not fit the data).
Dataset load_dataset(const DatasetConfig& config, std::uint64_t seed, const std::string& data_dir,
                     const Warn& warn, const Enough& enough = {});

// SHA-256 over shape, count, pixels (or normalised floats) and labels of train, validation and
// test, in this order, as hex digits.
std::string hash_of(const Dataset& dataset);

}  // namespace pare
