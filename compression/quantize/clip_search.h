// Observers that leave outliers out: a range narrower than the values, so that the grid is finer
// for the rest. Of weights they look at the tensor at hand; of activations at a histogram of what
// passed by (training: the past fades by `decay` a batch; calibration: all batches alike).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "compression/quantize/histogram.h"
#include "compression/quantize/observer.h"

namespace pare {

// The p-th percentile on each side: (100 - p) % of the values lie above, as many below.
std::unique_ptr<Observer> make_percentile(const ObserverOptions& options);
// The same of the weights other than 0.
std::unique_ptr<Observer> make_percentile_of_survivors(const ObserverOptions& options);
// Both ends of the range times the factor, of k / 64, whose grid has the smallest sum of squared
// errors (Banner et al. 2019, arXiv:1810.05723, find it for known distributions).
std::unique_ptr<Observer> make_mse(const ObserverOptions& options);
// The bound whose quantized distribution has the smallest Kullback-Leibler divergence from the
// clipped one (Migacz 2017, "8-bit inference with TensorRT"), of activations. Zeros do not count.
std::unique_ptr<Observer> make_kl(const ObserverOptions& options);

// A value and how often it occurs.
struct Sample {
  double value, count;
};
Range percentile_range(std::vector<Sample> samples, double p);
Range mse_range(const std::vector<Sample>& samples, Range full, const GridFormat& format);
// The same of values that occur once each. Percentiles leave them in another order; the errors of
// mse are those of grid_errors.h, a hundred times as fast: of two ranges whose errors differ by
// less than some 1e-7 either may be chosen.
Range percentile_range(std::span<float> values, double p);
Range mse_range(std::span<const float> values, Range full, const GridFormat& format);
Range kl_range(const Histogram& histogram, const GridFormat& format);

}  // namespace pare
