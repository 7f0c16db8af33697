#include "layers/weighted.h"

#include <algorithm>
#include <cmath>

#include "framework/base/error.h"
#include "framework/config/object.h"
#include "framework/random.h"

namespace pare {
namespace {

constexpr std::int64_t kMostWeights = std::int64_t{1} << 26;

void fill(Tensor& weight, Init init, Fans fans, Random random) {
  float* w = weight.mutable_data();
  if (init == Init::he) {
    const double deviation = std::sqrt(2.0 / static_cast<double>(fans.in));
    std::generate_n(w, weight.size(),
                    [&] { return static_cast<float>(deviation * random.normal()); });
    return;
  }
  const auto bound = static_cast<float>(std::sqrt(6.0 / static_cast<double>(fans.in + fans.out)));
  std::generate_n(w, weight.size(), [&] { return random.uniform(-bound, bound); });
}

}  // namespace

void Weighted::allocate(const Shape& weight, int channel_axis, bool bias, Fans fans) {
  if (weight.size() > kMostWeights) {
    throw ConfigError("expected at most " + std::to_string(kMostWeights) + " weights, got " +
                      std::to_string(weight.size()) + " (weight " + weight.to_string() + ")");
  }
  fans_ = fans;
  weight_ = std::make_unique<Parameter>("weight", weight, channel_axis, true);
  if (bias) bias_ = std::make_unique<Parameter>("bias", Shape{weight[channel_axis]}, 0, false);
}

void Weighted::initialize(std::uint64_t seed) {
  fill(weight_->latent(), init_, fans_,
       Random(seed, Stream::initialize, name_hash(weight_->path())));
  if (bias_) std::fill_n(bias_->latent().mutable_data(), bias_->shape().size(), 0.0f);
}

void Weighted::visit_parameters(const ParameterVisitor& visit) {
  visit(*weight_);
  if (bias_) visit(*bias_);
}

void describe_init(config::Object& o, Init& init) {
  o.choice("init", init, {{"he", Init::he}, {"glorot", Init::glorot}}, "how the weights begin");
}

}  // namespace pare
