#include "compression/prune/target.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "compression/prune/structures.h"
#include "framework/base/error.h"

namespace pare {
namespace {

// Sums of f(value) per group over the scored parts, and how many values each group has.
template <class F>
std::vector<double> sums_per_group(const PruneTarget& target, const ElementValues& values,
                                   const F& f) {
  std::vector<double> sums(static_cast<std::size_t>(target.groups));
  for (std::size_t p = 0; p < target.parts.size(); ++p) {
    const PrunePart& part = target.parts[p];
    if (!values[p].defined()) continue;
    const float* v = values[p].data();
    for (std::int64_t i = 0; i < values[p].size(); ++i) {
      sums[static_cast<std::size_t>(part.group_of(i))] += f(static_cast<double>(v[i]));
    }
  }
  return sums;
}

std::vector<float> rounded(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

template <class F>
ElementValues of_scored_parts(const PruneTarget& target, const F& f) {
  ElementValues values;
  for (const PrunePart& part : target.parts) {
    values.push_back(part.scored ? f(*part.parameter) : Tensor());
  }
  return values;
}

// All values of every group, in the order of parts and elements.
std::vector<std::vector<float>> vectors_of(const PruneTarget& target, const ElementValues& values) {
  std::vector<std::vector<float>> vectors(static_cast<std::size_t>(target.groups));
  for (std::size_t p = 0; p < target.parts.size(); ++p) {
    if (!values[p].defined()) continue;
    for (std::int64_t i = 0; i < values[p].size(); ++i) {
      vectors[static_cast<std::size_t>(target.parts[p].group_of(i))].push_back(values[p].data()[i]);
    }
  }
  return vectors;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += d * d;
  }
  return std::sqrt(sum);
}

// The sum of the distances to the other kept groups: the smallest belongs to the group nearest to
// the geometric median, which the others can replace best (He et al. 2019, "Filter pruning via
// geometric median", arXiv:1811.00250, section 3.3).
std::vector<float> distances_to_others(const PruneTarget& target, const ElementValues& values) {
  const std::vector<std::vector<float>> vectors = vectors_of(target, values);
  std::vector<double> sums(vectors.size());
  for (std::size_t a = 0; a < vectors.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      if (!target.keep[a] || !target.keep[b]) continue;
      const double d = distance(vectors[a], vectors[b]);
      sums[a] += d;
      sums[b] += d;
    }
  }
  return rounded(sums);
}

}  // namespace

std::int64_t PruneTarget::pruned() const { return std::count(keep.begin(), keep.end(), 0); }

void visit_masks(std::span<const PruneTarget> targets, const MaskVisitor& visit) {
  std::set<const Mask*> seen;
  for (const PruneTarget& target : targets) {
    for (const auto* parts : {&target.parts, &target.readers}) {
      for (const PrunePart& part : *parts) {
        if (seen.insert(part.mask).second) visit(*part.parameter, *part.mask);
      }
    }
  }
}

void store_masks(std::span<const PruneTarget> targets) {
  visit_masks(targets,
              [](Parameter&, Mask& mask) { std::fill(mask.keep().begin(), mask.keep().end(), 1); });
  for (const PruneTarget& target : targets) {
    for (const auto* parts : {&target.parts, &target.readers}) {
      for (const PrunePart& part : *parts) {
        std::vector<std::uint8_t>& mask = part.mask->keep();
        for (std::size_t i = 0; i < mask.size(); ++i) {
          mask[i] &=
              target.keep[static_cast<std::size_t>(part.group_of(static_cast<std::int64_t>(i)))];
        }
      }
    }
  }
}

void attach_masks(std::vector<PruneTarget>& targets, Composition composition, bool mask_gradient) {
  std::map<Parameter*, Mask*> attached;
  for (const bool readers : {false, true}) {
    for (PruneTarget& target : targets) {
      for (PrunePart& part : readers ? target.readers : target.parts) {
        Mask*& mask = attached[part.parameter];
        if (!mask) mask = attach_mask(*part.parameter, composition, mask_gradient);
        part.mask = mask;
      }
    }
  }
}

void adopt_masks(std::vector<PruneTarget>& targets) {
  for (PruneTarget& target : targets) {
    for (auto* parts : {&target.parts, &target.readers}) {
      for (PrunePart& part : *parts) {
        part.mask = dynamic_cast<Mask*>(part.parameter->find(kMask));
        if (!part.mask) throw ConfigError("'" + part.parameter->path() + "' has no mask");
      }
    }
    std::fill(target.keep.begin(), target.keep.end(), 0);
    for (const PrunePart& part : target.parts) {
      const std::vector<std::uint8_t>& mask = part.mask->keep();
      for (std::size_t i = 0; i < mask.size(); ++i) {
        target.keep[static_cast<std::size_t>(part.group_of(static_cast<std::int64_t>(i)))] |=
            mask[i];
      }
    }
  }
}

void detach_masks(std::vector<PruneTarget>& targets) {
  std::set<Parameter*> parameters;
  visit_masks(targets, [&](Parameter& parameter, Mask&) { parameters.insert(&parameter); });
  for (Parameter* parameter : parameters) parameter->remove(kMask);
}

ElementValues latent_values(const PruneTarget& target) {
  return of_scored_parts(target, [](Parameter& weight) { return weight.latent(); });
}

ElementValues ranked_values(const PruneTarget& target, Ranked ranked) {
  return of_scored_parts(target, [&](Parameter& weight) { return ranked_tensor(weight, ranked); });
}

ElementValues value_gradients(const PruneTarget& target) {
  return of_scored_parts(target, [](Parameter& weight) { return weight.value_grad(); });
}

void scale_latents(PruneTarget& target, const std::vector<std::uint8_t>& marked, float factor) {
  for (PrunePart& part : target.parts) {
    part.parameter->release();
    float* w = part.parameter->latent().mutable_data();
    for (std::int64_t i = 0; i < part.parameter->latent().size(); ++i) {
      if (marked[static_cast<std::size_t>(part.group_of(i))])
        w[i] = factor == 0 ? 0 : w[i] * factor;
    }
  }
}

std::vector<float> group_norms(const PruneTarget& target, const ElementValues& values,
                               PruneNorm norm) {
  if (norm == PruneNorm::geometric_median) return distances_to_others(target, values);
  const bool square = norm == PruneNorm::l2;
  std::vector<double> sums =
      sums_per_group(target, values, [&](double v) { return square ? v * v : std::fabs(v); });
  const std::vector<double> sizes = sums_per_group(target, values, [](double) { return 1.0; });
  for (std::size_t g = 0; g < sums.size(); ++g) {
    const double mean = sizes[g] > 0 ? sums[g] / sizes[g] : 0;
    sums[g] = square ? std::sqrt(mean) : mean;
  }
  return rounded(sums);
}

}  // namespace pare
