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
#include "compression/quantize/quantizer_config.h"
#include "framework/autograd/variable.h"
#include "framework/parameter.h"

namespace pare {

class Quantizer {
 public:
  struct Traits {
    bool has_zero;    // real 0 is on the grid, so a mask survives
    bool idempotent;  // quantizing twice changes nothing
    bool deterministic;
  };

  virtual ~Quantizer() = default;
  virtual Traits traits() const = 0;

  // Takes x into account for the grid. A pass that trains or calibrates, or any where stateless().
  virtual void observe(const Tensor& x, const Pass& pass) = 0;
  // True where the grid is a function of the tensor at hand alone.
  virtual bool stateless() const = 0;
  // False before the first observation: there is no grid yet.
  virtual bool ready() const = 0;

  // x on the grid, with this quantizer's gradient. Needs ready().
  virtual Variable quantize(const Variable& x, const Pass& pass) = 0;

  // What it finally is. Needs ready().
  virtual Grid grid() const = 0;
  // The codes on that grid which evaluation gives x. Needs ready().
  virtual GridCodes codes(const Tensor& x) const = 0;

  // Its own trainable numbers; their roles are what follows the quantizer's name in a path.
  virtual void visit_parameters(const ParameterVisitor&) {}
  // The first step of an epoch is about to begin.
  virtual void begin_epoch() {}
  // Everything else that must survive.
  virtual void visit_state(const std::string& prefix, StateVisitor& visitor) = 0;
};

// What a quantizer knows of the tensor that it is for.
struct QuantizerPlace {
  enum class Use { weights, activations };
  Use use;
  std::string where;      // names it in errors and random streams
  int axis;               // of the channels that have grids of their own; < 0: one grid
  std::int64_t channels;  // as many grids
};

struct QuantizerRow {
  std::string name;
  std::string description;
  bool weights, activations;  // what it is for
  int least_bits, most_bits;
  int usual_bits;         // where the config names none
  bool observes = false;  // the keys `observer`, `decay` and `p` are its own
  bool learns = false;    // the keys `learning_rate` and `weight_decay` are its own
  bool one_grid = false;  // `granularity` of weights is per_tensor
  bool zero_at_ends =
      false;  // `scheme` affine of activations: zero is the lowest code, behind a relu
  bool wide = false;         // 16 bits too, symmetric and in float only
  bool by_levels = false;    // a table: its keys are `levels`, from which `bits` follow, and
                             // `level_bits`
  bool at_run_time = false;  // the range is that of the image at hand, so there is no grid
  std::unique_ptr<Quantizer> (*make)(const QuantizerConfig& config, QuantizerPlace place);
};
std::span<const QuantizerRow> quantizer_table();
const QuantizerRow& quantizer_row(const std::string& name);  // must be one of the table
bool has_bits(const QuantizerRow& row, int bits);

// For a tensor of this shape; `channel_axis` is used where the config wants grids per channel.
std::unique_ptr<Quantizer> make_quantizer(const QuantizerConfig& config, QuantizerPlace::Use use,
                                          std::string where, const Shape& shape, int channel_axis);

}  // namespace pare
