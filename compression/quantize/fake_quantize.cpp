#include "compression/quantize/fake_quantize.h"

#include <algorithm>
#include <cmath>

#include "compression/quantize/runs.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/kernels/simd.h"
#include "framework/tensor/step_vector.h"

namespace pare {
namespace {

using simd::Floats;
using simd::Ints;

constexpr std::int64_t kTile = 1 << 13;

// What a run of elements of one channel needs.
struct ChannelGrid {
  double reciprocal;
  float scale, low, high;  // codes with the zero point removed, as floats
  PassRange pass;
};

StepVector<ChannelGrid> prepare(const Grid& grid) {
  StepVector<ChannelGrid> channels;
  channels.reserve(grid.scales.size());
  for (std::size_t c = 0; c < grid.scales.size(); ++c) {
    const std::int32_t qmin = grid.format.qmin(), qmax = grid.format.qmax(),
                       z = grid.zero_points[c];
    channels.push_back({1.0 / static_cast<double>(grid.scales[c]), grid.scales[c],
                        static_cast<float>(qmin - z), static_cast<float>(qmax - z),
                        pass_range(grid.scales[c], z, qmin, qmax)});
  }
  return channels;
}

// A code with its zero point removed -> the real value; + 0: never -0. A NaN stays one.
template <class Value>
inline Value value_of(Value code, const ChannelGrid& g) {
  code = code < g.low ? g.low - Value{} : code;
  code = code > g.high ? g.high - Value{} : code;
  return code * g.scale + 0.0f;
}

// floor(x * r + 0.5) in double, as to_code does; clamp and product are exact or rounded once in
// float.
Floats exact_values(Floats x, const ChannelGrid& g) {
  Floats y;
#pragma omp simd
  for (int i = 0; i < simd::kLanes; ++i) {
    y[i] = static_cast<float>(__builtin_floor(static_cast<double>(x[i]) * g.reciprocal + 0.5));
  }
  return value_of(y, g);
}

// The same in float where no lane lies near the border between two codes. Within the range that is
// not clamped, |x * r| < 256, float is wrong by less than 2^-13, so a fraction further than 2^-12
// from 0 and 1 gives the same code.
inline Floats values_on_grid(Floats x, float reciprocal, const ChannelGrid& g) {
  constexpr float kMargin = 0x1p-12f;
  const Floats shifted = x * reciprocal + 0.5f;
  const Floats code = simd::floor(shifted);
  const Floats from_middle = simd::magnitude(shifted - code - 0.5f);
  if (simd::any(from_middle > 0.5f - kMargin)) return exact_values(x, g);
  return value_of(code, g);
}

// Lanes whose gradient does not pass.
inline Ints outside(Floats x, const PassRange& pass) {
  return ~((x >= pass.low) & (x <= pass.high));
}

// Calls body(place, load and store of it) for vectors of [0, count): whole ones first, since masks
// cost as much as the rest.
template <class Body>
inline void for_elements(std::int64_t count, const Body& body) {
  std::int64_t i = 0;
  for (; i + simd::kLanes <= count; i += simd::kLanes) {
    body([i](const float* p) { return simd::load(p + i); },
         [i](float* p, Floats v) { simd::store(p + i, v); });
  }
  if (i == count) return;
  const simd::Mask mask = simd::first_lanes(count - i);
  body([=](const float* p) { return simd::load(p + i, mask); },
       [=](float* p, Floats v) { simd::store(p + i, v, mask); });
}

// y = x on the grid; true where some x is clamped.
bool forward_run(const float* x, float* y, std::int64_t count, const ChannelGrid& grid) {
  const ChannelGrid g = grid;  // a copy that no store can change
  const auto reciprocal = static_cast<float>(g.reciprocal);
  Ints clamped{};
  const auto run = [&](const auto& value) {
    for_elements(count, [&](const auto& load, const auto& store) {
      const Floats v = load(x);
      clamped |= outside(v, g.pass);
      store(y, value(v));
    });
  };
  if (std::isnormal(reciprocal) && g.high - g.low < 256)
    run([&](Floats v) { return values_on_grid(v, reciprocal, g); });
  else
    run([&](Floats v) { return exact_values(v, g); });
  return simd::any(clamped);
}

// dx = beta * dx + dy where x is not clamped; dx may be dy.
void backward_run(const float* x, const float* dy, std::int64_t count, const ChannelGrid& g,
                  float* dx, float beta) {
  const PassRange pass = g.pass;
  for_elements(count, [=](const auto& load, const auto& store) {
    const Floats passed = outside(load(x), pass) ? Floats{} : load(dy);
    store(dx, beta == 0 ? passed : load(dx) + passed);
  });
}

}  // namespace

// Few values are clamped, so the forward pass notes in which tiles any are: the backward pass hands
// the gradient on as it is and visits those tiles alone.
Variable fake_quantize(const Variable& x, const Grid& grid, int axis) {
  const ChannelView view = channel_view(x.shape(), axis);
  PARE_ENSURE(view.channels == grid.channels());
  StepVector<ChannelGrid> channels = prepare(grid);
  Tensor y(x.shape());
  Tensor clamped(Shape{(x.value().size() + kTile - 1) / kTile});  // 1 where a tile has such values
  const float* from = x.value().data();
  float *to = y.mutable_data(), *flags = clamped.mutable_data();
  parallel_tiles(x.value().size(), kTile, [&](std::int64_t begin, std::int64_t end) {
    bool any = false;
    for_each_run(view, begin, end, [&](std::int64_t offset, std::int64_t count, std::size_t c) {
      any |= forward_run(from + offset, to + offset, count, channels[c]);
    });
    flags[begin / kTile] = any ? 1.0f : 0.0f;
  });
  return record(
      "fake_quantize", std::move(y), {x},
      [in = x.value(), view, clamped, channels = std::move(channels)](Tensor& dy,
                                                                      Gradients& gradients) {
        const auto flagged = clamped.values();
        const bool none = std::find(flagged.begin(), flagged.end(), 1.0f) == flagged.end();
        if (none) return gradients.give(0, dy);
        const bool in_place = dy.unique();
        const GradientSlot dx =
            in_place ? GradientSlot{dy.mutable_data(), 0.0f} : gradients.slot(0);
        parallel_tiles(in.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
          if (in_place && flagged[static_cast<std::size_t>(begin / kTile)] == 0) return;
          for_each_run(view, begin, end, [&](std::int64_t offset, std::int64_t count, auto c) {
            backward_run(in.data() + offset, dy.data() + offset, count, channels[c],
                         dx.data + offset, dx.beta);
          });
        });
        if (in_place) gradients.give(0, dy);
      });
}

GridCodes codes_of(const Tensor& x, const Grid& grid, int axis) {
  const ChannelView view = channel_view(x.shape(), axis);
  PARE_ENSURE(view.channels == grid.channels());
  GridCodes codes(static_cast<std::size_t>(x.size()));
  parallel_tiles(x.size(), kTile, [&](std::int64_t begin, std::int64_t end) {
    for_each_run(view, begin, end, [&](std::int64_t offset, std::int64_t count, std::size_t c) {
      const double r = 1.0 / static_cast<double>(grid.scales[c]);
      for (std::int64_t i = offset; i < offset + count; ++i) {
        codes[static_cast<std::size_t>(i)] = static_cast<std::int16_t>(
            to_code(x.data()[i], r, grid.zero_points[c], grid.format.qmin(), grid.format.qmax()));
      }
    });
  });
  return codes;
}

}  // namespace pare
