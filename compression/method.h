// Method: one entry of a config's "compression", at work on a network.
//
// A phase attaches the methods that it applies; from then on every method is told of each step,
// also in later phases, until it is released. What a method is (a mask in a chain, nodes on edges)
// is its own business. A new kind of method is one class and one row of method_table().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "compression/shrink.h"
#include "framework/config/forward.h"
#include "framework/schedule.h"
#include "framework/state.h"
#include "layers/network.h"

namespace pare {

// What a method may ask of a training step.
struct MethodStep {
  ScheduleSpan span;           // steps of the phase, steps per epoch
  std::int64_t step = 0;       // in the phase, from 0
  std::uint64_t run_step = 0;  // in the run
  std::uint64_t seed = 1;
  bool applied_here = false;  // this phase applies the method (its schedule runs)
  double learning_rate = 0;   // of the update
  // The optimizer adds to gradients (decay, l1), so that moments of masked weights do not stay
  // zero.
  bool regularized = false;
  // Visits the optimizer's moments of a parameter, so that they can be masked.
  std::function<void(const Parameter&, const std::function<void(Tensor&)>&)> visit_moments =
      nullptr;
  // Gives the network the values of rewind_point() back, and the optimizer a fresh start.
  std::function<void()> rewind = nullptr;
};

// What a method that acts on the whole network when it is attached may ask of its run.
struct Surroundings {
  // Where the integer form of the network without some units of its channels (shrink.h) differs; ""
  // nowhere.
  std::function<std::string(Network&, const KeptUnits&)> shrunk_difference;
  std::function<void(const std::string&)> say;  // to the user
};

// What a step's forward pass gave, before backward().
struct StepOutput {
  const Tensor& images;    // [batch, ...], as the network read them
  const Variable& logits;  // [batch, classes]
  Variable loss;           // [1]: of the phase, and of methods before this one
};

// Shows the calibration images, batch by batch, the same ones in the same order each time.
using ShowImages = std::function<void(const std::function<void(const Tensor&)>&)>;

class Method {
 public:
  virtual ~Method() = default;
  // Before attach().
  virtual void prepare(const Surroundings&) {}
  // attach() replaces nodes or parameters, so that other methods have to adopt() the network anew.
  virtual bool rebuilds() const { return false; }
  // Puts transforms and nodes in place. Throws ConfigError (a pattern that matches nothing, two
  // masks on a weight).
  virtual void attach(Network& network) = 0;
  // Takes hold of what attach() once put into a network that was loaded from a checkpoint.
  virtual void adopt(Network& network) = 0;
  virtual void release(Network& network) = 0;
  // Before the forward pass of a step.
  virtual void before_step(const MethodStep& step) = 0;
  // The loss that is made small with the method on.
  virtual Variable loss(const StepOutput& output) { return output.loss; }
  // In the forward pass of a step, of every node in order, where wants_outputs() said so before it.
  virtual bool wants_outputs() const { return false; }
  virtual void see_output(const std::string& /*node*/, const Tensor& /*value*/) {}
  // After backward(), before the optimizer: gradients are there.
  virtual void after_backward(const MethodStep&) {}
  // After the optimizer: gradients are gone, latent values may be written.
  virtual void after_step(const MethodStep&) {}
  // At the end of a phase with steps (also when they are all done), and after a calibration (0
  // steps). Comes again, with nothing changed in between, where a run was stopped during the
  // validation that follows.
  virtual void end_phase(const MethodStep&) {}
  // Whether the network has, right now, all the compression this method is meant to give.
  virtual bool at_target() const = 0;
  // A phase of 0 epochs that applies it has seen its calibration images.
  virtual void after_calibration(const ShowImages& /*show*/) {}
  // True for a phase of 0 epochs that has to see calibration images.
  virtual std::int64_t calibration_images() const { return 0; }
  // For progress lines: "62.5% zero", "W8A8".
  virtual std::string status() const = 0;
  // What transforms and nodes do not hold themselves.
  virtual void visit_state(const std::string& prefix, StateVisitor& visitor) = 0;
};

}  // namespace pare
