// Whether a network without some of its channels is the same network in integers.
#pragma once

#include <string>

#include "compression/lower/final.h"
#include "compression/shrink.h"

namespace pare {

// Compares the integer forms of `network` and of without_units(network, kept), every edge, on
// `images` [n, ...] and on as many random inputs. Grids that are missing are made by calibrating a
// copy on the images. Says where the first code differs, "" where none does. Throws ConfigError
// where there is no integer form.
std::string shrunk_difference(Network& network, const KeptUnits& kept, const Tensor& images,
                              integer::Rounding rounding);

}  // namespace pare
