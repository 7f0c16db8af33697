// The methods that are on: made from the config, attached and released as phases say.
//
// What a method does to the network is its own business (compression/method.h).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "apps/lib/run_config.h"
#include "compression/method.h"

namespace pare {

class ActiveMethods {
 public:
  struct Active {
    std::string name;
    std::unique_ptr<Method> method;
    bool applied_here;  // in the phase at hand
  };

  explicit ActiveMethods(const RunConfig& run, Surroundings surroundings = {})
      : run_(run), surroundings_(std::move(surroundings)) {}

  // The start of a phase: releases, then attaches. Throws ConfigError naming the method.
  void begin_phase(const PhaseConfig& phase, Network& network);
  // As if the phases so far had begun one after the other, on a network that was loaded with what
  // they attached.
  void resume(std::span<const PhaseConfig> begun, Network& network);
  void before_step(MethodStep step);
  // Shows the outputs of a step's forward pass to the methods that want them; null where none does.
  Network::Tap tap() const;
  void after_backward(MethodStep step);
  void after_step(MethodStep step);
  // The phase at hand has calibrated.
  void after_calibration(const ShowImages& show);
  void end_phase(MethodStep step);

  bool empty() const { return active_.empty(); }
  const std::vector<Active>& active() const { return active_; }
  // Whether exactly the methods that the run ends with are on, each with all it is meant to give.
  bool at_target() const;
  // Images that the phase at hand wants to observe where it has no steps.
  std::int64_t calibration_images() const;
  // "62.5% zero W8A8", or "".
  std::string status() const;
  void visit_state(StateVisitor& visitor);  // "methods/<name>/..."

 private:
  void leave_phase();
  void attach(Method& method, Network& network);
  void tell(MethodStep step, void (Method::*what)(const MethodStep&));

  const RunConfig& run_;
  Surroundings surroundings_;
  std::vector<Active> active_;
};

// Masked weights as a fraction of all weights of convolutions and dense layers.
double masked_fraction(const Network& network);

}  // namespace pare
