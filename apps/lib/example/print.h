// What `example` prints: the tables of the tutorial's first part.
#pragma once

#include <string>

namespace pare::example {

std::string report();

}  // namespace pare::example
