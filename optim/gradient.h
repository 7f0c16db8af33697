// The gradient that every rule starts from.
#pragma once

#include "optim/optimizer.h"

namespace pare {

// factor * g + l1 * sign(w); sign(0) = 0.
inline float total_gradient(float g, float w, const Update& u) {
  const float sign = static_cast<float>(w > 0) - static_cast<float>(w < 0);
  return u.factor * g + u.l1 * sign;
}

}  // namespace pare
