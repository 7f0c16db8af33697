// From Keras's arrays to ours: which layer belongs to which node, and how its numbers are laid out.
//
//   Conv2D kernel           [kh, kw, in / groups, out]  ->  [out, kh, kw, in / groups]
//   DepthwiseConv2D kernel  [kh, kw, in, multiplier]    ->  [1, kh, kw, in * multiplier]
//   Dense kernel            [in, out]                   ->  [out, in]
//   BatchNormalization      gamma, beta, moving mean, moving variance: as they are
//
// Flatten is row-major over height, width, channels in both. A file whose layers are ordered is
// read in that order, as Keras does; one that is sorted by class, class by class. Keras's epsilon
// of batch normalisation (0.001 by default) is no weight: the config has to say it.
#pragma once

#include <string>

#include "apps/lib/init_from.h"
#include "framework/io/keras_h5.h"

namespace pare {

// Throws ConfigError that names the layer and its node: another number of layers or arrays, another
// shape.
WeightSet keras_weights(const Network& network, const KerasFile& file, const std::string& what);

}  // namespace pare
