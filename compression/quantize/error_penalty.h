// The gradient of lambda * sum (x - q(x))^2 (document 002), beside that of whatever reads q(x).
#pragma once

#include "framework/autograd/variable.h"

namespace pare {

// y = q(x) goes on as it is; x gets 2 lambda (x - y) more, q(x) taken as a constant. Of activations
// lambda is divided by the batch, as the loss is a mean over it.
Variable with_error_penalty(const Variable& y, const Variable& x, double lambda);

}  // namespace pare
