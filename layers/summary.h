// A network as a table for people.
#pragma once

#include <string>

#include "layers/network.h"

namespace pare {

// One line per node (name, kind, output, parameters, multiply-accumulates of one image, bytes of
// its output in float32) and a total.
std::string summary(const Network& network);

}  // namespace pare
