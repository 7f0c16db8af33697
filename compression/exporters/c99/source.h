// NAME.c of a planned model.
#pragma once

#include <string>

#include "compression/exporters/c99/model.h"

namespace pare::c99 {

// `bytes`: input and output are uint8. "@NAME@" and "@name@" stand for the model's name.
std::string source_text(const C99Model& model, bool bytes);

}  // namespace pare::c99
