// Observers: from the values that pass by to the range that a grid is made of.
//
// An observer writes only when it is told to observe (training and calibration, never evaluation).
// A new observer is one class and one row of observer_table().
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compression/quantize/grid.h"
#include "framework/parameter.h"
#include "framework/state.h"
#include "framework/tensor/step_vector.h"
#include "framework/tensor/tensor.h"

namespace pare {

struct ObserverOptions {
  std::string kind = "min_max";
  double decay = 0.99;     // of what remembers batches
  double p = 99.9;         // percentile
  GridFormat format = {};  // the grid that mse and kl choose a range for
  // Weights are there as a whole: percentile and mse look at the tensor at hand, not at histograms.
  bool of_weights = false;
};

class Observer {
 public:
  virtual ~Observer() = default;
  // `axis` < 0: one range for the whole tensor; otherwise one per channel of that axis. Where the
  // pass calibrates, all its batches weigh the same, whatever their order.
  virtual void observe(const Tensor& x, int axis, const Pass& pass) = 0;
  // True where the range is a function of the tensor at hand alone, so that evaluation may observe
  // too.
  virtual bool stateless() const { return false; }
  // One per channel; empty before the first observation.
  virtual std::span<const Range> ranges() const = 0;
  virtual void visit_state(const std::string& prefix, StateVisitor& visitor) = 0;
};

struct ObserverRow {
  std::string kind;
  std::string description;
  bool for_weights;
  std::unique_ptr<Observer> (*make)(const ObserverOptions&);
};
std::span<const ObserverRow> observer_table();
std::vector<std::string> observer_kinds(bool for_weights);
std::unique_ptr<Observer> make_observer(const ObserverOptions& options);

// Smallest and largest value per channel, 0 included.
StepVector<Range> channel_ranges(const Tensor& x, int axis);

// An observer whose state is one range per channel.
class RangeObserver : public Observer {
 public:
  std::span<const Range> ranges() const override { return ranges_; }
  void visit_state(const std::string& prefix, StateVisitor& visitor) override;

 protected:
  StepVector<Range> ranges_;
};

}  // namespace pare
