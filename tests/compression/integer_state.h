// The integers of a state, kept or put back: what a checkpoint does to them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "framework/state.h"

namespace pare {

struct IntegerState final : StateVisitor {
  std::map<std::string, std::int64_t> kept;
  bool loading = false;

  void tensor(const std::string&, Tensor&) override {}
  void bytes(const std::string&, std::vector<std::uint8_t>&) override {}
  void real(const std::string&, double&) override {}
  void integer(const std::string& name, std::int64_t& value) override {
    if (loading) value = kept.at(name);
    kept[name] = value;
  }
};

}  // namespace pare
