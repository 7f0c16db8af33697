// From a config to a Dataset: find or draw the files, split off the validation images, cut to the
// limit, hash.
#pragma once

#include <cstdint>
#include <string>

#include "datasets/config.h"
#include "datasets/dataset.h"
#include "datasets/search.h"

namespace pare {

// `data_dir` (from --data-dir) may be empty. Where the data are not found and the config names a
// fallback, that is used and `warn` is told why; Dataset::kind and ::source say what was really
// used. Throws DataError (missing without a fallback, damaged) and ConfigError (a validation split
// or a normalisation that does not fit the data).
Dataset load_dataset(const DatasetConfig& config, std::uint64_t seed, const std::string& data_dir,
                     const Warn& warn);

// SHA-256 over shape, count, pixels (or normalised floats) and labels of train, validation and
// test, in this order, as hex digits.
std::string hash_of(const Dataset& dataset);

}  // namespace pare
