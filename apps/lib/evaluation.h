// What `evaluate` measures: a network and its integer form on one split, side by side.
//
// Nothing is trained, verified or written here; numbers come as they are, text and JSON are made of
// them in evaluation_report.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compression/integer/engine.h"
#include "datasets/dataset.h"
#include "datasets/normalize.h"
#include "layers/network.h"

namespace pare {

using Labels = std::vector<std::int32_t>;

// The interval of Wilson's score for k hits of n, at 95 % (Wilson 1927, "Probable inference, the
// law of succession, and statistical inference"): holds the true rate in 95 of 100 samples, also
// near 0 and 1.
struct Interval {
  double low, high;
};
Interval wilson(std::int64_t hits, std::int64_t n);

// counts[true][found].
using Confusion = std::vector<std::vector<std::int64_t>>;
Confusion confusion(std::span<const std::int32_t> expected, std::span<const std::int32_t> found,
                    int classes);

// The label that the ordinary float32 forward gives each image: the first among equal scores.
Labels predict(Network& network, const Images& images, const std::vector<PixelValues>& values);

// The engine's.
Labels predict(const integer::Engine& engine, std::span<const std::int8_t> codes);

struct Latency {
  double median, p99;  // microseconds
};
// One image at a time, on one thread.
Latency latency_of(const integer::Engine& engine, std::span<const std::int8_t> image);

struct Evaluation {
  std::string subject;  // "runs/x/checkpoints/best.h5, epoch 12 [quantize]"
  std::string split;    // test or validation
  std::string dataset, source;
  int classes = 0;
  Labels expected;

  // Of the dense network: as the run recorded it, or measured where the network is dense.
  std::optional<double> float_accuracy;
  std::string float_from;
  std::optional<Labels> fake_quant;  // none for a model alone
  std::optional<Labels> integer;
  std::string integer_from;  // what ran, or why nothing did
  std::optional<Latency> latency;

  std::int64_t images() const { return static_cast<std::int64_t>(expected.size()); }
};

}  // namespace pare
