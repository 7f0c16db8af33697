// A mask in a parameter's chain. It is stored state, never inferred from zeros.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/parameter.h"

namespace pare {

inline constexpr std::string_view kMask = "mask";

class Mask final : public Transform {
 public:
  // All weights kept. mask_gradient: pruned weights get no gradient (otherwise the straight-through
  // one).
  Mask(std::int64_t size, bool mask_gradient)
      : keep_(static_cast<std::size_t>(size), 1), mask_gradient_(mask_gradient) {}

  std::string_view kind() const override { return kMask; }
  // Pruned weights become +0.0 exactly, whatever the latent value.
  Variable apply(const Variable& value, const Pass& pass) override;
  nlohmann::ordered_json to_json() const override;
  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    visitor.bytes(prefix, keep_);
  }

  const std::vector<std::uint8_t>& keep() const { return keep_; }  // 1: kept, 0: pruned
  std::vector<std::uint8_t>& keep() { return keep_; }
  std::int64_t pruned() const;

 private:
  std::vector<std::uint8_t> keep_;
  bool mask_gradient_;
};

}  // namespace pare
