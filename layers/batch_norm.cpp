#include "layers/batch_norm.h"

#include <algorithm>

#include "framework/config/config.h"
#include "framework/ops/ops.h"
#include "layers/inputs.h"

namespace pare {
namespace {

void fill(Tensor& tensor, float value) { std::fill_n(tensor.mutable_data(), tensor.size(), value); }

void average(Tensor& running, const Tensor& batch, double momentum) {
  const auto keep = static_cast<float>(momentum);
  const auto take = static_cast<float>(1.0 - momentum);
  float* r = running.mutable_data();
  const float* b = batch.data();
  for (std::int64_t c = 0; c < running.size(); ++c) r[c] = keep * r[c] + take * b[c];
}

Rectifier rectifier_of(const Module& reader) {
  if (reader.kind() == "relu") return Rectifier::relu;
  return reader.kind() == "relu6" ? Rectifier::relu6 : Rectifier::none;
}

}  // namespace

void BatchNormOptions::describe(config::Object& o) {
  o.real("momentum", momentum, {.min = 0, .below = 1}, "share of the past in running statistics");
  o.real("epsilon", epsilon, {.max = 1, .above = 0}, "added to the variance");
}

Shape BatchNorm::build(std::span<const Shape> inputs) {
  const Shape& x = one_input(inputs);
  const Shape channels{x[-1]};
  scale_ = std::make_unique<Parameter>("scale", channels, 0, false);
  shift_ = std::make_unique<Parameter>("shift", channels, 0, false);
  mean_ = Tensor::persistent(channels);
  variance_ = Tensor::persistent(channels);
  return x;
}

void BatchNorm::initialize(std::uint64_t /*seed*/) {
  fill(scale_->latent(), 1);
  fill(shift_->latent(), 0);
  fill(mean_, 0);
  fill(variance_, 1);
}

Variable BatchNorm::forward(std::span<const Variable> inputs, const Pass& pass) {
  return normalise(inputs[0], pass, Rectifier::none);
}

bool BatchNorm::fuses_with(const Module& reader) const {
  return rectifier_of(reader) != Rectifier::none;
}

Variable BatchNorm::forward_with(const Module& reader, std::span<const Variable> inputs,
                                 const Pass& pass) {
  return normalise(inputs[0], pass, rectifier_of(reader));
}

Variable BatchNorm::normalise(const Variable& x, const Pass& pass, Rectifier behind) {
  const Variable scale = scale_->value(pass), shift = shift_->value(pass);
  const auto epsilon = static_cast<float>(options_.epsilon);
  if (statistics_frozen() || !pass.training())
    return batch_norm_fixed(x, scale, shift, epsilon, mean_, variance_, behind);
  Tensor mean, variance;
  Variable y = batch_norm_train(x, scale, shift, epsilon, mean, variance, behind);
  average(mean_, mean, options_.momentum);
  average(variance_, variance, options_.momentum);
  return y;
}

void BatchNorm::freeze_statistics(bool frozen, const void* who) {
  if (frozen) {
    freezers_.insert(who);
  } else {
    freezers_.erase(who);
  }
}

void BatchNorm::visit_parameters(const ParameterVisitor& visit) {
  visit(*scale_);
  visit(*shift_);
}

void BatchNorm::visit_buffers(const std::string& prefix, StateVisitor& visitor) {
  visitor.tensor(prefix + ".mean", mean_);
  visitor.tensor(prefix + ".variance", variance_);
}

nlohmann::ordered_json BatchNorm::to_json() const { return config::write(options_); }

}  // namespace pare
