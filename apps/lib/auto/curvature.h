// The curvature of the loss in a layer's weights: the trace of its Hessian by Hutchinson's method.
#pragma once

#include "datasets/batches.h"
#include "datasets/dataset.h"
#include "framework/parameter.h"
#include "layers/network.h"

namespace pare {

// trace(H) / n of the mean cross entropy over the first images (at most 1000), H its second
// derivatives by the weight's n elements: E[z' H z] over signs z, with H z from a central
// difference of gradients (Hutchinson 1990; Dong et al. 2020, "HAWQ-V2", arXiv:1911.03852, section
// 3.1). A function of network, images and seed. The network ends as it was.
double mean_curvature(Network& network, Parameter& weight, const Images& images,
                      const std::vector<PixelValues>& values, std::uint64_t seed);

}  // namespace pare
