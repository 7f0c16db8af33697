// What stands behind an op that can cut its output: nothing, max(y, 0), or min(max(y, 0), 6).
#pragma once

namespace pare {

enum class Rectifier { none, relu, relu6 };

}  // namespace pare
