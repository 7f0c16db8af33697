#include "compression/quantize/clip_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compression/quantize/grid_errors.h"
#include "framework/base/parallel.h"
#include "framework/tensor/step_vector.h"

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

// The values of one channel, one after the other.
StepVector<float> values_of(const Tensor& x, const ChannelView& view, std::int64_t channel) {
  StepVector<float> values;
  values.reserve(static_cast<std::size_t>(view.outer * view.inner));
  for (std::int64_t o = 0; o < view.outer; ++o) {
    const float* run = x.data() + (o * view.channels + channel) * view.inner;
    values.insert(values.end(), run, run + view.inner);
  }
  return values;
}

class OfWeights final : public RangeObserver {
 public:
  // How the values of a channel become a range.
  using Search = Range (*)(StepVector<float>& values, Range full, const ObserverOptions&);
  OfWeights(const ObserverOptions& options, Search search) : options_(options), search_(search) {}
  bool stateless() const override { return true; }

  void observe(const Tensor& x, int axis, const Pass&) override {
    ranges_ = channel_ranges(x, axis);
    const ChannelView view = channel_view(x.shape(), axis);
    parallel_for(view.channels, [&](std::int64_t c) {
      Range& range = ranges_[static_cast<std::size_t>(c)];
      if (!std::isfinite(range.low) || !std::isfinite(range.high)) return;
      StepVector<float> values = values_of(x, view, c);
      range = search_(values, range, options_);
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

// The ranges that mse chooses among, widest first, and their grids.
struct Candidates {
  std::vector<Range> ranges;
  Grid grids;

  Candidates(Range full, const GridFormat& format)
      : grids{.format = format, .scales = {}, .zero_points = {}} {
    for (int k = kFactors; k > 0; --k) {
      const float factor = static_cast<float>(k) / kFactors;
      const Range range{full.low * factor, full.high * factor};
      const float widest = std::max(-range.low, range.high);
      if (widest < 0x1p-90f) break;  // all zero, or too small for a grid
      append_channel(grids, range, "");
      ranges.push_back(range);
      forget_repetition();
    }
  }

  // The widest of those with the least error; `full` where there are none.
  Range best(const std::vector<double>& errors, Range full) const {
    if (errors.empty()) return full;
    const auto least = std::min_element(errors.begin(), errors.end());
    return ranges[static_cast<std::size_t>(least - errors.begin())];
  }

 private:
  // Scales that are powers of two are the same for many ranges.
  void forget_repetition() {
    const std::size_t n = ranges.size();
    if (n < 2 || grids.scales[n - 1] != grids.scales[n - 2] ||
        grids.zero_points[n - 1] != grids.zero_points[n - 2])
      return;
    ranges.pop_back();
    grids.scales.pop_back();
    grids.zero_points.pop_back();
  }
};

double squared_error(const std::vector<Sample>& samples, const Grid& grids, std::size_t k) {
  const GridFormat& format = grids.format;
  const float scale = grids.scales[k];
  const std::int32_t z = grids.zero_points[k];
  const double r = 1.0 / static_cast<double>(scale);
  double sum = 0;
  for (const Sample& sample : samples) {
    const std::int32_t code =
        to_code(static_cast<float>(sample.value), r, z, format.qmin(), format.qmax());
    const double error = sample.value - static_cast<double>(to_real(code, z, scale));
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

Range search_percentile(StepVector<float>& values, Range, const ObserverOptions& o) {
  return percentile_range(values, o.p);
}
Range search_survivors(StepVector<float>& values, Range, const ObserverOptions& o) {
  std::erase(values, 0.0f);
  return percentile_range(values, o.p);
}
Range search_mse(StepVector<float>& values, Range full, const ObserverOptions& o) {
  return mse_range(std::span<const float>(values), full, o.format);
}

std::unique_ptr<Observer> either(const ObserverOptions& options, OfWeights::Search of_weights,
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

Range percentile_range(std::span<float> values, double p) {
  if (values.empty()) return {};
  const double left_out = static_cast<double>(values.size()) * (100 - p) / 100;
  const auto low = values.begin() + static_cast<std::ptrdiff_t>(left_out);
  std::nth_element(values.begin(), low, values.end());
  const float lowest = *low;
  const auto high = values.end() - 1 - static_cast<std::ptrdiff_t>(left_out);
  std::nth_element(values.begin(), high, values.end());
  return {std::min(lowest, 0.0f), std::max(*high, 0.0f)};
}

Range mse_range(const std::vector<Sample>& samples, Range full, const GridFormat& format) {
  const Candidates candidates(full, format);
  std::vector<double> errors;
  for (std::size_t k = 0; k < candidates.ranges.size(); ++k)
    errors.push_back(squared_error(samples, candidates.grids, k));
  return candidates.best(errors, full);
}

Range mse_range(std::span<const float> values, Range full, const GridFormat& format) {
  const Candidates candidates(full, format);
  return candidates.best(squared_errors(values, candidates.grids), full);
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
  // Half of what leaves a relu is 0, which every grid holds exactly. Counted, these zeros would
  // be spread over all bins of the first code: only ever smaller ranges would tell them apart.
  sizes[0] = std::min(sizes[0], sizes[1]);
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

std::unique_ptr<Observer> make_percentile_of_survivors(const ObserverOptions& options) {
  return std::make_unique<OfWeights>(options, search_survivors);
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
