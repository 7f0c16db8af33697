// Layers without weights that are neither activations nor pools: flatten, add, dropout.
#pragma once

#include "framework/config/forward.h"
#include "layers/fusion.h"
#include "layers/module.h"

namespace pare {

// [B, ...] -> [B, product]: the order of NHWC, as in the integer engine.
class Flatten final : public Module {
 public:
  std::string_view kind() const override { return "flatten"; }
  Shape build(std::span<const Shape> inputs) override;
  Variable forward(std::span<const Variable> inputs, const Pass& pass) override;
};

// The sum of two inputs of the same shape.
class Add final : public Module, public FusesWithReader {
 public:
  std::string_view kind() const override { return "add"; }
  Shape build(std::span<const Shape> inputs) override;
  Variable forward(std::span<const Variable> inputs, const Pass& pass) override;
  // A relu.
  bool fuses_with(const Module& reader) const override { return reader.kind() == "relu"; }
  Variable forward_with(const Module& reader, std::span<const Variable> inputs,
                        const Pass& pass) override;
};

struct DropoutOptions {
  double rate = 0.5;

  void describe(config::Object& o);
};

// In training, zeroes values with probability `rate` and scales the others by 1 / (1 - rate);
// otherwise its input (Srivastava et al. 2014, "Dropout", in the inverted form).
class Dropout final : public Module {
 public:
  using Options = DropoutOptions;
  explicit Dropout(const DropoutOptions& options = {}) : options_(options) {}

  std::string_view kind() const override { return "dropout"; }
  Shape build(std::span<const Shape> inputs) override;
  Variable forward(std::span<const Variable> inputs, const Pass& pass) override;
  nlohmann::ordered_json to_json() const override;

 private:
  DropoutOptions options_;
};

}  // namespace pare
