// What the shipped network says of every test image, for the confusion matrix and the misclassified
// images: by the integer engine where there is one, else by the float32 forward.
#pragma once

#include "apps/lib/finish.h"
#include "apps/lib/report/page.h"

namespace pare {

// `shown`: misclassified images at most. The most certain mistakes come first: those with the
// largest distance between the logit of the answer and the logit of the truth.
report::Judgement judge(Network& network, const Dataset& dataset, const Outcome& outcome,
                        std::int64_t shown);

}  // namespace pare
