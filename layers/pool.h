// Pooling: the largest or the mean value of each window, and the mean of a whole image. Padding is
// never counted in an average.
#pragma once

#include <optional>

#include "layers/module.h"
#include "layers/window.h"

namespace pare {

struct PoolOptions {
  Extent size{2, 2};
  std::optional<Extent> stride{};  // default: size
  Padding padding{};

  void describe(config::Object& o);
};

// x [B, H, W, C] -> [B, OH, OW, C].
class Pool : public Module {
 public:
  using Options = PoolOptions;

  Shape build(std::span<const Shape> inputs) override;
  nlohmann::ordered_json to_json() const override;

  const Window& window() const { return window_; }  // with the padding resolved

 protected:
  explicit Pool(const PoolOptions& options);

 private:
  PoolOptions options_;
  Window window_;
};

class MaxPool2d final : public Pool {
 public:
  explicit MaxPool2d(const PoolOptions& options = {}) : Pool(options) {}
  std::string_view kind() const override { return "max_pool2d"; }
  Variable forward(std::span<const Variable> inputs, const Pass& pass) override;
};

class AvgPool2d final : public Pool {
 public:
  explicit AvgPool2d(const PoolOptions& options = {}) : Pool(options) {}
  std::string_view kind() const override { return "avg_pool2d"; }
  Variable forward(std::span<const Variable> inputs, const Pass& pass) override;
};

// x [B, H, W, C] -> [B, 1, 1, C].
class GlobalAvgPool2d final : public Module {
 public:
  std::string_view kind() const override { return "global_avg_pool2d"; }
  Shape build(std::span<const Shape> inputs) override;
  Variable forward(std::span<const Variable> inputs, const Pass& pass) override;
};

}  // namespace pare
