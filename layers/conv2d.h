// Convolutions over images, and their depthwise form.
#pragma once

#include <optional>

#include "layers/fusion.h"
#include "layers/weighted.h"
#include "layers/window.h"

namespace pare {

struct Conv2dOptions {
  std::int64_t filters = 0;  // output channels; required
  Extent kernel{};           // required
  Extent stride{};
  Padding padding{};
  std::int64_t groups = 1;     // output channel c reads the inputs of group c / (filters / groups)
  std::optional<bool> bias{};  // as in DenseOptions
  Init init = Init::he;

  void describe(config::Object& o);
};

// x [B, H, W, C] -> [B, OH, OW, filters]. weight [filters, kh, kw, C / groups], channel axis 0;
// bias [filters].
class Conv2d final : public Weighted, public FusesWithReader {
 public:
  using Options = Conv2dOptions;
  explicit Conv2d(const Conv2dOptions& options);

  std::string_view kind() const override { return "conv2d"; }
  Shape build(std::span<const Shape> inputs) override;
  Variable forward(std::span<const Variable> inputs, const Pass& pass) override;
  // A max pool.
  bool fuses_with(const Module& reader) const override;
  Variable forward_with(const Module& reader, std::span<const Variable> inputs,
                        const Pass& pass) override;
  nlohmann::ordered_json to_json() const override;
  std::int64_t macs() const override { return pixels_ * weight().shape().size(); }

  const Window& window() const { return window_; }  // with the padding resolved
  std::int64_t groups() const { return options_.groups; }

 private:
  Conv2dOptions options_;
  Window window_;
  std::int64_t pixels_ = 0;  // of the output
};

struct DepthwiseConv2dOptions {
  Extent kernel{};  // required
  Extent stride{};
  Padding padding{};
  std::int64_t multiplier = 1;  // output channels per input channel
  std::optional<bool> bias{};   // as in DenseOptions
  Init init = Init::he;

  void describe(config::Object& o);
};

// x [B, H, W, C] -> [B, OH, OW, C * multiplier]; output channel c reads input channel c /
// multiplier. weight [1, kh, kw, C * multiplier], channel axis 3; bias [C * multiplier].
class DepthwiseConv2d final : public Weighted {
 public:
  using Options = DepthwiseConv2dOptions;
  explicit DepthwiseConv2d(const DepthwiseConv2dOptions& options);

  std::string_view kind() const override { return "depthwise_conv2d"; }
  Shape build(std::span<const Shape> inputs) override;
  Variable forward(std::span<const Variable> inputs, const Pass& pass) override;
  nlohmann::ordered_json to_json() const override;
  std::int64_t macs() const override { return pixels_ * weight().shape().size(); }

  const Window& window() const { return window_; }
  std::int64_t multiplier() const { return options_.multiplier; }

 private:
  DepthwiseConv2dOptions options_;
  Window window_;
  std::int64_t pixels_ = 0;
};

}  // namespace pare
