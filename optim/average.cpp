#include "optim/average.h"

#include <algorithm>

#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "optim/optimizer.h"

namespace pare {
namespace {

// Sees the tensors of a state and nothing else.
class Tensors final : public StateVisitor {
 public:
  using Visit = std::function<void(const std::string& name, Tensor& value)>;
  explicit Tensors(Visit visit) : visit_(std::move(visit)) {}

  void tensor(const std::string& name, Tensor& value) override { visit_(name, value); }
  void bytes(const std::string&, std::vector<std::uint8_t>&) override {}
  void integer(const std::string&, std::int64_t&) override {}
  void real(const std::string&, double&) override {}

 private:
  Visit visit_;
};

void move_towards(Tensor& average, const Tensor& value, double decay) {
  const auto keep = static_cast<float>(decay), take = static_cast<float>(1 - decay);
  float* a = average.mutable_data();
  const float* x = value.data();
  parallel_tiles(value.size(), kUpdateTile, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k) a[k] = keep * a[k] + take * x[k];
  });
}

}  // namespace

WeightAverage::WeightAverage(double decay, VisitState visit)
    : decay_(decay), visit_(std::move(visit)) {
  Tensors copy([this](const std::string& name, Tensor& value) {
    names_.push_back(name);
    values_.push_back(&value);
    Tensor& own = tensors_.emplace_back(Tensor::persistent(value.shape()));
    std::copy_n(value.data(), value.size(), own.mutable_data());
  });
  visit_(copy);
}

void WeightAverage::update() {
  ++updates_;
  const auto t = static_cast<double>(updates_);
  const double decay = std::min(decay_, (1 + t) / (10 + t));
  for (std::size_t i = 0; i < tensors_.size(); ++i) move_towards(tensors_[i], *values_[i], decay);
}

void WeightAverage::swap() {
  std::size_t i = 0;
  Tensors exchange([&](const std::string&, Tensor& value) {
    PARE_ENSURE(values_.at(i) == &value);
    std::swap(tensors_[i++], value);
  });
  visit_(exchange);
  PARE_ENSURE(i == tensors_.size());
}

void WeightAverage::visit_state(StateVisitor& visitor) {
  visitor.integer("optimizer/averaged_updates", updates_);
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    visitor.tensor("optimizer/average/" + names_[i], tensors_[i]);
  }
}

}  // namespace pare
