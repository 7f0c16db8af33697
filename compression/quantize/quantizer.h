// Quantizer: from real values to a grid and back, in training and at the end.
//
// One interface for weights and activations. A new quantizer is one file with one class and one row
// of quantizer_table(); the generic tests in tests/compression run over every row and hold it to
// its traits.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compression/quantize/grid.h"
#include "compression/quantize/observer.h"
#include "framework/autograd/variable.h"
#include "framework/config/object.h"
#include "framework/parameter.h"

namespace pare {

enum class Granularity { per_tensor, per_channel };

// The tensor whose range a weight's grid is made of.
enum class Observed {
  masked,  // what reaches the quantizer: pruned weights are 0 where the mask stands in front of it
  dense,   // the latent weight, as if nothing were pruned
  survivors,  // the weights that the mask keeps, wherever it stands
};

// The keys of "weights" and "activations" of a quantize method.
struct QuantizerConfig {
  std::string quantizer = "uniform";
  int bits = 8;
  Scheme scheme = Scheme::symmetric;
  Granularity granularity = Granularity::per_channel;
  std::string observer = "min_max";
  double decay = 0.99;
  ScaleKind scale = ScaleKind::real;

  void describe(config::Object& o);
  GridFormat format() const { return {bits, scheme, scale}; }
};
struct WeightQuantizerConfig : QuantizerConfig {
  Observed observe = Observed::masked;

  void describe(config::Object& o);
};
struct ActivationQuantizerConfig : QuantizerConfig {
  ActivationQuantizerConfig() {
    scheme = Scheme::affine;
    granularity = Granularity::per_tensor;
    observer = "ema_min_max";
  }
};

class Quantizer {
 public:
  struct Traits {
    bool has_zero;    // real 0 is on the grid, so a mask survives
    bool idempotent;  // quantizing twice changes nothing
    bool deterministic;
  };

  virtual ~Quantizer() = default;
  virtual Traits traits() const = 0;

  // Takes x into account for the grid.
  virtual void observe(const Tensor& x) = 0;
  // True where the grid is a function of the tensor at hand alone.
  virtual bool stateless() const = 0;
  // False before the first observation: there is no grid yet.
  virtual bool ready() const = 0;

  // x on the grid, with this quantizer's gradient. Needs ready().
  virtual Variable quantize(const Variable& x) = 0;

  // What it finally is. Needs ready().
  virtual Grid grid() const = 0;

  virtual void visit_parameters(const ParameterVisitor&) {}
  virtual void visit_state(const std::string& prefix, StateVisitor& visitor) = 0;
};

struct QuantizerRow {
  std::string name;
  std::string description;
  // `where` names the tensor in errors; axis: of the channels, < 0 for one grid over the whole
  // tensor.
  std::unique_ptr<Quantizer> (*make)(const QuantizerConfig& config, std::string where, int axis);
};
std::span<const QuantizerRow> quantizer_table();
std::unique_ptr<Quantizer> make_quantizer(const QuantizerConfig& config, std::string where,
                                          int channel_axis);

}  // namespace pare
