// `train --plan --target flash=64k,ram=8k`: what the integer program will need on a device, before
// any training, and what to change where it does not fit.
//
// MACs and RAM are exact: they follow from shapes, and the untrained network is lowered. Flash is
// an estimate: weights at the bits and the sparsity that the config asks for (of a global pruning
// scope every layer is taken to reach the mean; what a threshold will prune is not known, and
// counts as nothing), stored packed or with a bitmap, whichever is smaller; 9 bytes per output
// channel (bias, multiplier, shift); the pixel table; and kCodeBytes for the kernels, which is an
// assumption about small ARM cores. What model.pare takes is another number: its arithmetic coding
// has to be decoded before it runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/lib/finish.h"
#include "apps/lib/run_config.h"
#include "framework/config/value.h"

namespace pare {

inline constexpr std::int64_t kCodeBytes = 8 * 1024;

struct Target {
  std::optional<std::int64_t> flash, ram;  // bytes
};

// "flash=64k,ram=8k": one or both; k is 1024, M is 1024 * 1024. Throws ConfigError.
Target parse_target(const std::string& text);

struct LayerEstimate {
  std::string name;  // of the node with the weights
  std::int64_t weights = 0, channels = 0;
  int bits = 8;
  double sparsity = 0;
  std::int64_t macs = 0;
  // Bytes of the weights at a sparsity.
  std::int64_t bytes(int at_bits, double at_sparsity) const;
};

struct Estimate {
  std::vector<LayerEstimate> layers;
  std::int64_t tables = 0;  // bytes of channels and pixel table
  std::int64_t ram = 0;     // the arena
  std::string peak;         // the operation that needs most of it at once
  std::int64_t peak_bytes = 0;

  std::int64_t flash() const;
  // With every layer at these bits, and at no less than this sparsity.
  std::int64_t flash(std::optional<int> bits, double sparsity) const;
  std::int64_t macs() const;
};

// `rehearsal`: of the same run, lowered.
Estimate estimate(const RunConfig& run, const Rehearsal& rehearsal);

bool fits(const Estimate& estimate, const Target& target);

// {layers, flash: {weights, tables, code, total, target}, ram: {...}, macs, fits}
config::Json to_json(const Estimate& estimate, const Target& target);
// A table, then, where something does not fit, what to change.
std::string to_text(const Estimate& estimate, const Target& target);

}  // namespace pare
