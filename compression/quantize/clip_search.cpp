#include "compression/quantize/clip_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/base/parallel.h"

namespace pare {
namespace {

constexpr int kFactors = 64;
constexpr int kKlStep = 16;  // bins between two bounds that kl tries

std::vector<Sample> samples_of(const Histogram& histogram) {
  std::vector<Sample> samples;
  for (const bool positive : {false, true}) {
    for (int bin = 0; bin < Histogram::kBins; ++bin) {
      const double count = histogram.count(positive, bin);
      const double middle = (bin + 0.5) * histogram.width();
      if (count > 0) samples.push_back({positive ? middle : -middle, count});
    }
  }
  return samples;
}

// How one of these observers turns samples into a range.
using Search = Range (*)(const std::vector<Sample>&, Range full, const ObserverOptions&);

class OfWeights final : public RangeObserver {
 public:
  OfWeights(const ObserverOptions& options, Search search) : options_(options), search_(search) {}
  bool stateless() const override { return true; }

  void observe(const Tensor& x, int axis, const Pass&) override {
    ranges_ = channel_ranges(x, axis);
    const ChannelView view = channel_view(x.shape(), axis);
    parallel_for(view.channels, [&](std::int64_t c) {
      Range& range = ranges_[static_cast<std::size_t>(c)];
      if (!std::isfinite(range.low) || !std::isfinite(range.high)) return;
      std::vector<Sample> samples;
      for (std::int64_t o = 0; o < view.outer; ++o) {
        const float* run = x.data() + (o * view.channels + c) * view.inner;
        for (std::int64_t i = 0; i < view.inner; ++i) samples.push_back({run[i], 1});
      }
      range = search_(samples, range, options_);
    });
  }

 private:
  ObserverOptions options_;
  Search search_;
};

class OfActivations final : public RangeObserver {
 public:
  using HistogramSearch = Range (*)(const Histogram&, const ObserverOptions&);
  OfActivations(const ObserverOptions& options, HistogramSearch search)
      : options_(options), search_(search) {}

  void observe(const Tensor& x, int, const Pass& pass) override {
    histogram_.add(x, pass.training() ? options_.decay : 1);
    const Range full = histogram_.range();
    const bool usable = !histogram_.empty() && std::isfinite(full.low) && std::isfinite(full.high);
    ranges_ = {usable ? search_(histogram_, options_) : full};
  }

  void visit_state(const std::string& prefix, StateVisitor& visitor) override {
    RangeObserver::visit_state(prefix, visitor);
    histogram_.visit_state(prefix + "/histogram", visitor);
  }

 private:
  ObserverOptions options_;
  HistogramSearch search_;
  Histogram histogram_;
};

// The largest value that `left_out` counts lie above, walking from the end.
double bound(const std::vector<Sample>& from_the_end, double left_out) {
  double passed = 0;
  for (const Sample& sample : from_the_end) {
    passed += sample.count;
    if (passed > left_out) return sample.value;
  }
  return 0;
}

double squared_error(const std::vector<Sample>& samples, Range range, const GridFormat& format) {
  Grid grid{.format = format, .scales = {}, .zero_points = {}};
  append_channel(grid, range, "");
  const double r = 1.0 / static_cast<double>(grid.scales[0]);
  double sum = 0;
  for (const Sample& sample : samples) {
    const std::int32_t code = to_code(static_cast<float>(sample.value), r, grid.zero_points[0],
                                      format.qmin(), format.qmax());
    const double error =
        sample.value - static_cast<double>(to_real(code, grid.zero_points[0], grid.scales[0]));
    sum += sample.count * error * error;
  }
  return sum;
}

// KL(P || Q) for a bound of `bins` bins: P has what lies beyond in its last bin; Q is P without
// that, merged into `levels` equal parts and spread again over the bins that are not empty.
double divergence(const std::vector<double>& sizes, int bins, int levels, double beyond) {
  double total = beyond;
  for (int i = 0; i < bins; ++i) total += sizes[static_cast<std::size_t>(i)];
  double sum = 0, quantized_total = total - beyond;
  if (quantized_total == 0) return std::numeric_limits<double>::infinity();
  for (int level = 0; level < levels; ++level) {
    const int first = level * bins / levels, last = (level + 1) * bins / levels;
    double part = 0;
    int filled = 0;
    for (int i = first; i < last; ++i) {
      part += sizes[static_cast<std::size_t>(i)];
      filled += sizes[static_cast<std::size_t>(i)] > 0 ? 1 : 0;
    }
    for (int i = first; i < last; ++i) {
      const double own = sizes[static_cast<std::size_t>(i)];
      const double p = (own + (i == bins - 1 ? beyond : 0)) / total;
      if (p == 0) continue;
      const double q = filled > 0 && own > 0 ? part / filled / quantized_total : 1e-12;
      sum += p * std::log(p / q);
    }
  }
  return sum;
}

Range search_percentile(const std::vector<Sample>& samples, Range, const ObserverOptions& o) {
  return percentile_range(samples, o.p);
}
Range search_mse(const std::vector<Sample>& samples, Range full, const ObserverOptions& o) {
  return mse_range(samples, full, o.format);
}

std::unique_ptr<Observer> either(const ObserverOptions& options, Search of_weights,
                                 OfActivations::HistogramSearch of_activations) {
  if (options.of_weights) return std::make_unique<OfWeights>(options, of_weights);
  return std::make_unique<OfActivations>(options, of_activations);
}

}  // namespace

Range percentile_range(std::vector<Sample> samples, double p) {
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.value < b.value; });
  double total = 0;
  for (const Sample& sample : samples) total += sample.count;
  const double left_out = total * (100 - p) / 100;
  const double low = bound(samples, left_out);
  std::reverse(samples.begin(), samples.end());
  const double high = bound(samples, left_out);
  return {static_cast<float>(std::min(low, 0.0)), static_cast<float>(std::max(high, 0.0))};
}

Range mse_range(const std::vector<Sample>& samples, Range full, const GridFormat& format) {
  Range best = full;
  double least = std::numeric_limits<double>::infinity();
  for (int k = kFactors; k > 0; --k) {
    const float factor = static_cast<float>(k) / kFactors;
    const Range range{full.low * factor, full.high * factor};
    const float widest = std::max(-range.low, range.high);
    if (widest < 0x1p-90f) break;  // all zero, or too small for a grid
    const double error = squared_error(samples, range, format);
    if (error >= least) continue;
    least = error;
    best = range;
  }
  return best;
}

Range kl_range(const Histogram& histogram, const GridFormat& format) {
  const Range full = histogram.range();
  const bool one_sided = full.low == 0 && format.scheme == Scheme::affine;
  const int levels = 1 << (one_sided ? format.bits : format.bits - 1);
  std::vector<double> sizes(Histogram::kBins);
  double beyond = 0;
  for (int bin = 0; bin < Histogram::kBins; ++bin) {
    sizes[static_cast<std::size_t>(bin)] = histogram.count(false, bin) + histogram.count(true, bin);
  }
  int best = Histogram::kBins;
  double least = std::numeric_limits<double>::infinity();
  for (int bins = Histogram::kBins; bins >= levels && bins >= kKlStep; bins -= kKlStep) {
    const double d = divergence(sizes, bins, levels, beyond);
    if (d < least) {
      least = d;
      best = bins;
    }
    for (int i = bins - kKlStep; i < bins; ++i) beyond += sizes[static_cast<std::size_t>(i)];
  }
  const auto limit = static_cast<float>(best * histogram.width());
  return {std::max(full.low, -limit), std::min(full.high, limit)};
}

std::unique_ptr<Observer> make_percentile(const ObserverOptions& options) {
  return either(options, search_percentile, [](const Histogram& h, const ObserverOptions& o) {
    return percentile_range(samples_of(h), o.p);
  });
}

std::unique_ptr<Observer> make_mse(const ObserverOptions& options) {
  return either(options, search_mse, [](const Histogram& h, const ObserverOptions& o) {
    return mse_range(samples_of(h), h.range(), o.format);
  });
}

std::unique_ptr<Observer> make_kl(const ObserverOptions& options) {
  return std::make_unique<OfActivations>(
      options, [](const Histogram& h, const ObserverOptions& o) { return kl_range(h, o.format); });
}

}  // namespace pare
