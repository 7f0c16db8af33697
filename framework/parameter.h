// Parameter: what an optimizer trains, and the chain of transforms between that latent value and
// the value that a layer computes with.
//
// A layer asks value(pass) and knows nothing of masks or quantizers; compression puts transforms
// into the chain. The value is computed once per pass, whoever asks and however often.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/autograd/variable.h"
#include "framework/state.h"

namespace pare {

class Parameter;
using ParameterVisitor = std::function<void(Parameter&)>;

// One traversal of the network, or one evaluation of many batches with the same weights.
struct Pass {
  enum class Mode {
    train,      // batch statistics, dropout, observers write
    calibrate,  // as evaluate, but observers write
    evaluate,
  };
  Mode mode = Mode::evaluate;
  std::uint64_t seed = 1;  // of the run
  std::uint64_t step = 0;  // update number since the start of the run, for random draws
  std::uint64_t id = 0;    // parameters compute their value once per id

  bool training() const { return mode == Mode::train; }
  bool observing() const { return mode != Mode::evaluate; }
  // A pass with an id of its own.
  static Pass begin(Mode mode, std::uint64_t seed, std::uint64_t step);
};

// A function of the latent value with state of its own: a mask, a fake-quantizer.
class Transform {
 public:
  virtual ~Transform() = default;
  virtual std::string_view kind() const = 0;  // unique within a chain: "mask", "fake_quant"
  virtual Variable apply(const Variable& value, const Pass& pass) = 0;
  // What it was made from, as a config would say it; its state is visit_state()'s business.
  virtual nlohmann::ordered_json to_json() const;            // usually {}
  virtual void visit_parameters(const ParameterVisitor&) {}  // trainable state (a learned step)
  virtual void visit_state(const std::string& prefix, StateVisitor&) = 0;
};

class Parameter {
 public:
  // `role` is weight, bias, scale, shift, or a transform's own name; the network makes it the end
  // of a path. channel_axis: the axis of output channels, counted from the front.
  Parameter(std::string role, const Shape& shape, int channel_axis, bool decay);
  Parameter(const Parameter&) = delete;
  Parameter& operator=(const Parameter&) = delete;

  const std::string& role() const { return role_; }
  const std::string& path() const { return path_; }  // "conv1.weight"
  void set_path(std::string path) { path_ = std::move(path); }
  const Shape& shape() const { return latent_.shape(); }
  int channel_axis() const { return channel_axis_; }
  std::int64_t channels() const { return shape().rank() == 0 ? 1 : shape()[channel_axis_]; }
  // Whether weight decay acts on it (not on biases and batch norm).
  bool decays() const { return decay_; }

  // The value that the optimizer owns. Writing needs that no graph holds it (after backward(), or
  // between steps).
  const Tensor& latent() const { return latent_; }
  Tensor& latent() { return latent_; }

  // A frozen parameter gets no gradient.
  bool frozen() const { return frozen_; }
  void set_frozen(bool frozen) { frozen_ = frozen; }
  // A factor on the optimizer's learning rate, and a weight decay instead of the optimizer's (a
  // quantizer's step).
  double learning_rate_factor = 1.0;
  std::optional<double> own_weight_decay;

  // The latent value sent through the chain.
  Variable value(const Pass& pass);
  // Forgets value and gradients of the last pass.
  void release();

  // After backward(): d loss / d latent; undefined where nothing reached it.
  const Tensor& grad() const { return leaf_.grad(); }
  // d loss / d value, before the chain's own backward; kept only after keep_value_gradient(true).
  const Tensor& value_grad() const { return value_grad_; }
  void keep_value_gradient(bool keep) { keep_value_grad_ = keep; }

  // The chain, in the order of application.
  const std::vector<std::unique_ptr<Transform>>& chain() const { return chain_; }
  Transform* find(std::string_view kind) const;
  void insert(std::size_t position, std::unique_ptr<Transform> transform);
  std::unique_ptr<Transform> remove(std::string_view kind);  // null where there is none

  // The parameter itself, then those of its transforms.
  void visit_parameters(const ParameterVisitor& visit);
  void visit_state(StateVisitor& visitor);

 private:
  std::string role_;
  std::string path_;
  Tensor latent_;
  int channel_axis_;
  bool decay_;
  bool frozen_ = false;
  bool keep_value_grad_ = false;
  std::vector<std::unique_ptr<Transform>> chain_;
  std::uint64_t pass_ = 0;
  Variable leaf_;
  Variable value_;
  Tensor value_grad_;
};

}  // namespace pare
