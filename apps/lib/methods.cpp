#include "apps/lib/methods.h"

#include <algorithm>

#include "compression/prune/mask.h"
#include "framework/base/error.h"

namespace pare {

void ActiveMethods::begin_phase(const PhaseConfig& phase, Network& network) {
  leave_phase();
  for (const std::string& name : phase.release) {
    const auto found = std::find_if(active_.begin(), active_.end(),
                                    [&](const Active& a) { return a.name == name; });
    PARE_ENSURE(found != active_.end());
    found->method->release(network);
    active_.erase(found);
  }
  for (const std::string& name : phase.apply) {
    std::unique_ptr<Method> method = make_method(run_.method(name), run_.composition);
    try {
      attach(*method, network);
    } catch (const ConfigError& error) {
      throw ConfigError("compression." + name + " (phase '" + phase.name + "'): " + error.what());
    }
    active_.push_back({name, std::move(method), true});
  }
  network.release();
}

void ActiveMethods::attach(Method& method, Network& network) {
  method.prepare(surroundings_);
  network.release();
  method.attach(network);
  if (!method.rebuilds()) return;
  for (const Active& other : active_) other.method->adopt(network);
}

void ActiveMethods::leave_phase() {
  for (Active& active : active_) active.applied_here = false;
}

void ActiveMethods::resume(std::span<const PhaseConfig> begun, Network& network) {
  for (const PhaseConfig& phase : begun) {
    leave_phase();
    for (const std::string& name : phase.release) {
      std::erase_if(active_, [&](const Active& a) { return a.name == name; });
    }
    for (const std::string& name : phase.apply) {
      active_.push_back({name, make_method(run_.method(name), run_.composition), true});
    }
  }
  for (const Active& active : active_) active.method->adopt(network);
}

void ActiveMethods::tell(MethodStep step, void (Method::*what)(const MethodStep&)) {
  for (const Active& active : active_) {
    step.applied_here = active.applied_here;
    (active.method.get()->*what)(step);
  }
}

void ActiveMethods::before_step(MethodStep step) { tell(std::move(step), &Method::before_step); }
void ActiveMethods::after_backward(MethodStep step) {
  tell(std::move(step), &Method::after_backward);
}
void ActiveMethods::after_step(MethodStep step) { tell(std::move(step), &Method::after_step); }
void ActiveMethods::end_phase(MethodStep step) { tell(std::move(step), &Method::end_phase); }

Network::Tap ActiveMethods::tap() const {
  const bool wanted = std::any_of(active_.begin(), active_.end(),
                                  [](const Active& a) { return a.method->wants_outputs(); });
  if (!wanted) return nullptr;
  return [this](const std::string& node, const Variable& value) {
    for (const Active& active : active_) {
      if (active.method->wants_outputs()) active.method->see_output(node, value.value());
    }
  };
}

void ActiveMethods::after_calibration(const ShowImages& show) {
  for (const Active& active : active_) {
    if (active.applied_here) active.method->after_calibration(show);
  }
}

bool ActiveMethods::at_target() const {
  std::vector<std::string> names;
  for (const Active& active : active_) names.push_back(active.name);
  return names == run_.final_methods() &&
         std::all_of(active_.begin(), active_.end(),
                     [](const Active& a) { return a.method->at_target(); });
}

std::int64_t ActiveMethods::calibration_images() const {
  std::int64_t images = 0;
  for (const Active& active : active_) {
    if (active.applied_here) images = std::max(images, active.method->calibration_images());
  }
  return images;
}

std::string ActiveMethods::status() const {
  std::string status;
  for (const Active& active : active_)
    status += (status.empty() ? "" : " ") + active.method->status();
  return status;
}

void ActiveMethods::visit_state(StateVisitor& visitor) {
  for (const Active& active : active_)
    active.method->visit_state("methods/" + active.name, visitor);
}

double masked_fraction(const Network& network) {
  std::int64_t masked = 0, all = 0;
  for (const Parameter* weight : select_weights(network, {})) {
    all += weight->shape().size();
    if (const auto* mask = dynamic_cast<const Mask*>(weight->find(kMask))) masked += mask->pruned();
  }
  return all ? static_cast<double>(masked) / static_cast<double>(all) : 0;
}

}  // namespace pare
