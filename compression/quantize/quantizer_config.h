// The keys of "weights" and "activations" of a quantize method, and the rules between them.
#pragma once

#include <optional>
#include <string>

#include "compression/quantize/grid.h"
#include "compression/quantize/observer.h"
#include "compression/quantize/rounding.h"
#include "framework/config/forward.h"

namespace pare {

enum class LogBase { two, root };                     // of log2
enum class CodebookInit { linear, density, random };  // of codebook
enum class Reassign { never, epoch };

enum class Granularity { per_tensor, per_channel };

// The tensor whose range a weight's grid is made of.
enum class Observed {
  masked,  // what reaches the quantizer: pruned weights are 0 where the mask stands in front of it
  dense,   // the latent weight, as if nothing were pruned
  survivors,  // the weights that the mask keeps, wherever it stands
};

struct QuantizerConfig {
  std::string quantizer = "uniform";
  int bits = 8;
  Scheme scheme = Scheme::symmetric;
  Granularity granularity = Granularity::per_channel;
  std::string observer = "min_max";
  double decay = 0.99;
  double p = 99.9;
  ScaleKind scale = ScaleKind::real;
  RoundingMode rounding = RoundingMode::nearest;
  double learning_rate = 1;
  double weight_decay = 0;
  // Of single quantizers of weights.
  LogBase base = LogBase::two;
  int levels = 16;
  int level_bits = 8;  // 16: the table in float only
  CodebookInit init = CodebookInit::linear;
  bool train = true;
  Reassign reassign = Reassign::never;

  // Other bits; of a codebook as many levels as they number.
  void set_bits(int count);
  GridFormat format() const { return {.bits = bits, .scheme = scheme, .scale = scale}; }
  // Why there is no integer form of it, as "key: reason"; "" where there is one.
  std::string float_only() const;

 protected:
  void describe_keys(config::Object& o, bool weights);
  void describe_own_keys(config::Object& o);
  // The rules between keys; for what has been read.
  void check(const config::Object& o, const QuantizerConfig& usual) const;
};

struct WeightQuantizerConfig : QuantizerConfig {
  Observed observe = Observed::masked;
  std::optional<double> clip_latent;

  void describe(config::Object& o);
};

struct ActivationQuantizerConfig : QuantizerConfig {
  ActivationQuantizerConfig() {
    scheme = Scheme::affine;
    granularity = Granularity::per_tensor;
    observer = "ema_min_max";
  }
  void describe(config::Object& o);
};

}  // namespace pare
