// Ops that stand for a chain of ops of ops.h: the same bits in fewer passes over memory. The tests
// hold each to the references of its parts, and networks that use them to the chain's bits.
#pragma once

#include "framework/ops/ops.h"

namespace pare {

// max_pool2d(conv2d(x, ...), pool); what lies between the two is never in memory as a whole. The
// bias's gradient is summed in another order than the chain's.
Variable conv2d_max_pool2d(const Variable& x, const Variable& weight, const Variable& bias,
                           const Window& window, std::int64_t groups, const Window& pool);

// relu(add(a, b)).
Variable add_relu(const Variable& a, const Variable& b);

}  // namespace pare
