// The timelines of strategies as data: what each kind applies and releases in which part.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

namespace pare {

// What happens at the start of a part. All but prune and quantize are derived methods: the two
// rungs of a mask; a mask of structures, their removal, and a mask of single weights among the
// rest.
enum class StrategyMethod { prune, quantize, rung_1, rung_2, structures, shrink, rest };
enum class StrategyRole { dense, stage, recover, calibrate };

struct StrategyPart {
  const char* name;
  StrategyRole role;
  std::vector<StrategyMethod> apply = {};
  std::vector<StrategyMethod> release = {};
  bool padding = false;    // only there to match the budget
  double share = 1;        // of the role's epochs
  bool continues = false;  // the second half of a stage
};

struct Timeline {
  const char* kind;
  std::vector<StrategyPart> parts;
};

const std::vector<Timeline>& timelines();
// Must be one of them.
const Timeline& timeline(const std::string& kind);
// Whether it applies one of these somewhere.
bool uses(const Timeline& timeline, std::initializer_list<StrategyMethod> any);

}  // namespace pare
