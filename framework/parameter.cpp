#include "framework/parameter.h"

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>

#include "framework/base/error.h"

namespace pare {

Pass Pass::begin(Mode mode, std::uint64_t seed, std::uint64_t step) {
  static std::atomic<std::uint64_t> last{0};
  return {mode, seed, step, ++last};
}

nlohmann::ordered_json Transform::to_json() const { return nlohmann::ordered_json::object(); }

Parameter::Parameter(std::string role, const Shape& shape, int channel_axis, bool decay)
    : role_(std::move(role)),
      path_(role_),
      latent_(Tensor::persistent(shape)),
      channel_axis_(channel_axis),
      decay_(decay) {}

Variable Parameter::value(const Pass& pass) {
  PARE_ENSURE(pass.id != 0);
  if (pass_ == pass.id) return value_;
  release();
  leaf_ = Variable(latent_, !frozen_);
  value_ = leaf_;
  for (const auto& transform : chain_) value_ = transform->apply(value_, pass);
  if (keep_value_grad_) {
    value_ =
        record("tap", value_.value(), {value_}, [this](const Tensor& dy, Gradients& gradients) {
          value_grad_ = dy;
          gradients.give(0, dy);
        });
  }
  pass_ = pass.id;
  return value_;
}

void Parameter::release() {
  pass_ = 0;
  leaf_ = Variable();
  value_ = Variable();
  value_grad_ = Tensor();
}

Transform* Parameter::find(std::string_view kind) const {
  for (const auto& transform : chain_) {
    if (transform->kind() == kind) return transform.get();
  }
  return nullptr;
}

void Parameter::insert(std::size_t position, std::unique_ptr<Transform> transform) {
  PARE_ENSURE(position <= chain_.size() && !find(transform->kind()));
  chain_.insert(chain_.begin() + static_cast<std::ptrdiff_t>(position), std::move(transform));
  release();
}

std::unique_ptr<Transform> Parameter::remove(std::string_view kind) {
  const auto found =
      std::find_if(chain_.begin(), chain_.end(), [&](const auto& t) { return t->kind() == kind; });
  if (found == chain_.end()) return nullptr;
  std::unique_ptr<Transform> removed = std::move(*found);
  chain_.erase(found);
  release();
  return removed;
}

void Parameter::visit_parameters(const ParameterVisitor& visit) {
  visit(*this);
  for (const auto& transform : chain_) transform->visit_parameters(visit);
}

void Parameter::visit_state(StateVisitor& visitor) {
  visitor.tensor(path_, latent_);
  for (const auto& transform : chain_) {
    transform->visit_state(path_ + "/" + std::string(transform->kind()), visitor);
  }
}

}  // namespace pare
