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
#include "framework/state.h"
#include "framework/tensor/tensor.h"

namespace pare {

struct ObserverOptions {
  std::string kind = "min_max";
  double decay = 0.99;  // ema_min_max
};

class Observer {
 public:
  virtual ~Observer() = default;
  // `axis` < 0: one range for the whole tensor; otherwise one per channel of that axis.
  virtual void observe(const Tensor& x, int axis) = 0;
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
  std::unique_ptr<Observer> (*make)(const ObserverOptions&);
};
std::span<const ObserverRow> observer_table();
std::vector<std::string> observer_kinds();
std::unique_ptr<Observer> make_observer(const ObserverOptions& options);

// Smallest and largest value per channel, 0 included.
std::vector<Range> channel_ranges(const Tensor& x, int axis);

}  // namespace pare
