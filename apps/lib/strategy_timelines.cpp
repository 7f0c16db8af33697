#include "apps/lib/strategy_timelines.h"

#include <algorithm>

#include "framework/base/error.h"

namespace pare {
namespace {

using Part = StrategyPart;
using Role = StrategyRole;
using What = StrategyMethod;

const Part kDense{.name = "dense", .role = Role::dense};
const Part kRecover{.name = "recover", .role = Role::recover};
const Part kCalibrate{.name = "calibrate", .role = Role::calibrate, .apply = {What::quantize}};

Part plain(const char* name, Role role = Role::stage) {
  return {.name = name, .role = role, .padding = true};
}

Part stage(const char* name, std::vector<What> apply) {
  return {.name = name, .role = Role::stage, .apply = std::move(apply)};
}

Part half(const char* name, std::vector<What> apply, std::vector<What> release, bool continues) {
  return {.name = name,
          .role = Role::stage,
          .apply = std::move(apply),
          .release = std::move(release),
          .share = 0.5,
          .continues = continues};
}

}  // namespace

const std::vector<Timeline>& timelines() {
  using enum StrategyMethod;
  static const std::vector<Timeline> list = {
      {"dense", {kDense, plain("dense_2"), plain("dense_3"), plain("dense_4", Role::recover)}},
      {"prune_only", {kDense, stage("prune", {prune}), plain("train"), kRecover}},
      {"quantize_only", {kDense, stage("quantize", {quantize}), plain("train"), kRecover}},
      {"ptq_only",
       {kDense, plain("dense_2"), plain("dense_3"), plain("dense_4", Role::recover), kCalibrate}},
      {"prune_then_quantize",
       {kDense, stage("prune", {prune}), stage("quantize", {quantize}), kRecover}},
      {"quantize_then_prune",
       {kDense, stage("quantize", {quantize}), stage("prune", {prune}), kRecover}},
      {"joint", {kDense, stage("joint", {quantize, prune}), plain("train"), kRecover}},
      {"gradual_in_qat",
       {{.name = "quantize", .role = Role::dense, .apply = {quantize}},
        stage("prune", {prune}),
        plain("train"),
        kRecover}},
      {"alternating",
       {kDense, half("prune_1", {rung_1}, {}, false), half("quantize_1", {quantize}, {}, true),
        half("prune_2", {rung_2}, {quantize, rung_1}, false),
        half("quantize_2", {quantize}, {}, true), kRecover}},
      {"prune_quantize_prune",
       {kDense,
        half("prune_1", {rung_1}, {}, false),
        half("quantize", {quantize}, {}, true),
        {.name = "prune_2", .role = Role::stage, .apply = {rung_2}, .release = {rung_1}},
        kRecover}},
      {"prune_then_ptq", {kDense, plain("dense_2"), stage("prune", {prune}), kRecover, kCalibrate}},
      {"ptq_then_prune", {kDense, plain("dense_2"), kCalibrate, stage("prune", {prune}), kRecover}},
      {"structured_first",
       {kDense, half("structures", {structures}, {}, false), half("shrink", {shrink}, {}, true),
        half("prune", {rest}, {structures}, false), half("quantize", {quantize}, {}, true),
        kRecover}},
  };
  return list;
}

const Timeline& timeline(const std::string& kind) {
  const auto found = std::find_if(timelines().begin(), timelines().end(),
                                  [&](const Timeline& t) { return t.kind == kind; });
  PARE_ENSURE(found != timelines().end());
  return *found;
}

bool uses(const Timeline& timeline, std::initializer_list<StrategyMethod> any) {
  return std::any_of(timeline.parts.begin(), timeline.parts.end(), [&](const StrategyPart& part) {
    return std::find_first_of(part.apply.begin(), part.apply.end(), any.begin(), any.end()) !=
           part.apply.end();
  });
}

}  // namespace pare
