// A labelled image set in memory: pixels as bytes (or, where the data are not bytes, as normalised
// floats), labels as integers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "framework/tensor/shape.h"

namespace pare {

// One split. Images are height x width x channels, one after the other: in `pixels`, or, where the
// data were float32, in `values`.
struct Images {
  Shape shape;  // of one image, [28, 28, 1]
  std::vector<std::uint8_t> pixels = {};
  std::vector<float> values = {};         // what the network sees: normalised at load
  std::vector<float> fill = {};           // beside `values`: what 0 became, one per channel
  std::vector<std::int32_t> labels = {};  // 0 .. classes-1, checked at load
  bool are_floats() const { return !values.empty(); }
  std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
};

struct Dataset {
  std::string kind;    // really used: "digits" after a fallback
  std::string source;  // where the data came from, for people ("…/train-images-idx3-ubyte.gz"; no
                       // absolute path in results)
  int classes = 0;
  Images train, validation, test;
  std::vector<float> mean,
      std_dev;       // per channel, of the [0,1] values: (x - mean) / std_dev; empty: none
  std::string hash;  // SHA-256 over pixels and labels of the splits
  std::int64_t uncut_train = 0;  // training images that the config asks for; 0: those that are here
};

}  // namespace pare
