// "kind": "shrink": takes masked structures out of the network, at the start of its phase; where
// none is masked by then, it says so.
//
// It is accepted only if the integer form of the smaller network equals that of the masked one,
// code for code, on calibration images and on random inputs; otherwise the error names the first
// edge that differs.
#pragma once

#include "compression/method.h"

namespace pare {

struct ShrinkConfig {
  void describe(config::Object&) {}  // no keys of its own
};

class ShrinkMethod final : public Method {
 public:
  void prepare(const Surroundings& surroundings) override { surroundings_ = surroundings; }
  void attach(Network& network) override;
  bool rebuilds() const override { return true; }
  void adopt(Network&) override {}
  void release(Network&) override {}  // what is gone is gone; the config refuses it
  void before_step(const MethodStep&) override {}
  bool at_target() const override { return true; }
  std::string status() const override { return "shrunk"; }
  void visit_state(const std::string&, StateVisitor&) override {}

 private:
  Surroundings surroundings_;
};

}  // namespace pare
