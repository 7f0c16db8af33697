// k-means on a line.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "compression/quantize/quantizer_config.h"
#include "framework/random.h"

namespace pare {

// Centroids in [-1, 1] of values in [-1, 1], ascending, all different, one of them 0: `count` >= 2
// of them. Where there are not as many different values, fewer: these values, and 0. Lloyd's
// iterations begin at values spread over the range (linear), over the different values in their
// order (density), or at different values drawn at random, the only case that `random` is for.
std::vector<double> cluster(std::vector<float> values, int count, CodebookInit init,
                            const Random& random);

// The index of the centroid nearest to v; of several the first. They need not be sorted.
std::size_t nearest_centroid(double v, std::span<const double> centroids);

}  // namespace pare
