// Dense: y = x * weight^T + bias.
#pragma once

#include <optional>

#include "layers/weighted.h"

namespace pare {

struct DenseOptions {
  std::int64_t units = 0;      // of the output; required
  std::optional<bool> bias{};  // default: true; a config's builder says false before a batch_norm
  Init init = Init::he;

  void describe(config::Object& o);
};

// x [B, in] -> [B, units]. weight [units, in], channel axis 0; bias [units].
class Dense final : public Weighted {
 public:
  using Options = DenseOptions;
  explicit Dense(const DenseOptions& options);

  std::string_view kind() const override { return "dense"; }
  Shape build(std::span<const Shape> inputs) override;
  Variable forward(std::span<const Variable> inputs, const Pass& pass) override;
  nlohmann::ordered_json to_json() const override;
  std::int64_t macs() const override { return weight().shape().size(); }

 private:
  DenseOptions options_;
};

}  // namespace pare
