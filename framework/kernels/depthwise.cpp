#include "framework/kernels/depthwise.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "framework/base/parallel.h"
#include "framework/kernels/place_walk.h"
#include "framework/kernels/prefetch.h"
#include "framework/kernels/simd.h"
#include "framework/tensor/tensor.h"

namespace pare {
namespace {

using simd::Floats;

constexpr std::int64_t kTaps = 9;    // unrolled at a time: those of a 3 x 3 filter
constexpr std::int64_t kPlaces = 8;  // whose products are summed in registers, of a weight gradient

// A run of places: what they read, begin with and write; how far apart, in floats.
struct Strip {
  const float *source, *weight, *start;
  float* to;
  std::int64_t source_place, start_place, to_place, channels;
  Ahead ahead;
};

// to = start + sum over the taps of source * weight, of places [p, p + places). All channels of a
// few places come before the next ones, so that memory is read and written in order.
// Strip and taps are copies: stores could change what a reference names, which would be read again.
template <int taps, int places>
void gather_places(const Tap* tap, Strip s, std::int64_t p) {
  s.source += p * s.source_place;
  s.start += p * s.start_place;
  s.to += p * s.to_place;
  std::array<Tap, std::max(taps, 1)> at{};
  std::copy(tap, tap + taps, at.begin());
  simd::for_vectors(s.channels, [&](std::int64_t c, simd::Mask mask) {
    s.ahead.prefetch_source(s.source + c, places * s.source_place, s.channels);
#pragma GCC unroll 2
    for (int i = 0; i < places; ++i) prefetch_to_write(s.to, s.ahead.to + i * s.to_place + c);
    Floats sums[places];
#pragma GCC unroll 2
    for (int i = 0; i < places; ++i) sums[i] = simd::load(s.start + i * s.start_place + c, mask);
#pragma GCC unroll 9
    for (int t = 0; t < taps; ++t) {
      const Floats w = simd::load(s.weight + at[t].weight + c, mask);
#pragma GCC unroll 2
      for (int i = 0; i < places; ++i) {
        const Floats x = simd::load(s.source + at[t].source + i * s.source_place + c, mask);
        sums[i] = simd::fma(x, w, sums[i]);
      }
    }
#pragma GCC unroll 2
    for (int i = 0; i < places; ++i) simd::store(s.to + i * s.to_place + c, sums[i], mask);
  });
}

template <int taps>
void gather_taps(const Tap* tap, const Strip& s, std::int64_t count) {
  std::int64_t p = 0;
  for (; p + 2 <= count; p += 2) gather_places<taps, 2>(tap, s, p);
  if (p < count) gather_places<taps, 1>(tap, s, p);
}

// A run of output places whose products are summed per tap.
struct Products {
  const float *source, *gradient;
  float* sums;
  std::int64_t source_place, channels;
  Ahead ahead;
};

// sums[tap] += sum over `count` places of source * gradient.
template <int taps>
void add_products(const Tap* tap, Products s, std::int64_t count) {
  std::array<Tap, std::max(taps, 1)> at{};
  std::copy(tap, tap + taps, at.begin());
  for (; count > 0; count -= kPlaces) {
    const std::int64_t places = std::min(kPlaces, count);
    simd::for_vectors(s.channels, [&](std::int64_t c, simd::Mask mask) {
      Floats sums[std::max(taps, 1)];
#pragma GCC unroll 9
      for (int t = 0; t < taps; ++t) sums[t] = simd::load(s.sums + at[t].weight + c, mask);
      const float *source = s.source + c, *gradient = s.gradient + c;
      for (std::int64_t p = 0; p < places; ++p) {
        s.ahead.prefetch_source(source, s.source_place, s.channels);
        prefetch(gradient, s.ahead.to);
        const Floats g = simd::load(gradient, mask);
#pragma GCC unroll 9
        for (int t = 0; t < taps; ++t)
          sums[t] = simd::fma(simd::load(source + at[t].source, mask), g, sums[t]);
        source += s.source_place;
        gradient += s.channels;
      }
#pragma GCC unroll 9
      for (int t = 0; t < taps; ++t) simd::store(s.sums + at[t].weight + c, sums[t], mask);
    });
    s.source += places * s.source_place;
    s.gradient += places * s.channels;
  }
}

template <int... taps>
constexpr auto gather_functions(std::integer_sequence<int, taps...>) {
  return std::array{&gather_taps<taps>...};
}
template <int... taps>
constexpr auto product_functions(std::integer_sequence<int, taps...>) {
  return std::array{&add_products<taps>...};
}
constexpr auto kGather = gather_functions(std::make_integer_sequence<int, kTaps + 1>());
constexpr auto kAddProducts = product_functions(std::make_integer_sequence<int, kTaps + 1>());

// Calls f(their function, first of them) for pieces of the taps; also where there are none.
template <class Function, class F>
void for_pieces(const std::array<Function, kTaps + 1>& functions, const std::vector<Tap>& taps,
                const F& f) {
  const auto count = static_cast<std::int64_t>(taps.size());
  std::int64_t first = 0;
  do {
    f(functions[static_cast<std::size_t>(std::min(count - first, kTaps))], taps.data() + first);
    first += kTaps;
  } while (first < count);
}

// Writes an image; `start` holds what every place begins with (start_place 0), or a place's own.
template <class Axis>
void gather_image(const PlaceWalk<Axis>& walk, const Strip& image, const float* source) {
  walk.for_runs(
      [&](std::int64_t place, std::int64_t count, std::int64_t from, const std::vector<Tap>& taps) {
        Strip s = image;
        s.source = source + from;
        s.to += place * image.channels;
        s.start += image.start_place == 0 ? 0 : place * image.channels;
        for_pieces(kGather, taps, [&](auto gather, const Tap* piece) {
          gather(piece, s, count);
          s.start = s.to;
          s.start_place = s.to_place;
        });
      });
}

// An image whose channels stand `multiplier` times each, so that channels and outputs pair up; the
// image itself where they do already. Valid until this thread asks again.
const float* widened(const ConvShape& s, const float* image) {
  const std::int64_t multiplier = s.out_channels / s.channels;
  if (multiplier == 1) return image;
  thread_local std::vector<float> wide;
  wide.resize(static_cast<std::size_t>(s.image_size() * multiplier));
  float* to = wide.data();
  for (std::int64_t i = 0; i < s.image_size(); ++i) to = std::fill_n(to, multiplier, image[i]);
  return wide.data();
}

// image[i] = beta * image[i] + sum of its `multiplier` entries in `wide`.
void add_narrowed(std::int64_t size, std::int64_t multiplier, const float* wide, float beta,
                  float* image) {
  for (std::int64_t i = 0; i < size; ++i) {
    float sum = beta == 0 ? 0.0f : image[i];
    for (std::int64_t m = 0; m < multiplier; ++m) sum += wide[i * multiplier + m];
    image[i] = sum;
  }
}

}  // namespace

void depthwise_forward(const ConvShape& s, const float* x, const float* weight, const float* bias,
                       float* y) {
  const std::int64_t channels = s.out_channels;
  const OutputAxis rows = output_rows(s), columns = output_columns(s);
  const PlaceWalk<OutputAxis> walk(rows, columns, s.width, channels);
  const StepVector<float> zeros(bias ? 0 : static_cast<std::size_t>(channels), 0.0f);
  parallel_for(s.batch, [&](std::int64_t b) {
    const Strip strip{nullptr,
                      weight,
                      bias ? bias : zeros.data(),
                      y + b * s.y_size(),
                      columns.advance() * channels,
                      0,
                      columns.period() * channels,
                      channels,
                      walk.ahead()};
    gather_image(walk, strip, widened(s, x + b * s.image_size()));
  });
}

void depthwise_input_gradient(const ConvShape& s, const float* dy, const float* weight, float* dx,
                              float beta) {
  const std::int64_t channels = s.out_channels, multiplier = s.out_channels / s.channels;
  const InputAxis rows = input_rows(s), columns = input_columns(s);
  const PlaceWalk<InputAxis> walk(rows, columns, s.out_w(), channels);
  const StepVector<float> zeros(static_cast<std::size_t>(channels), 0.0f);
  const std::int64_t to_place = columns.period() * channels;
  parallel_for(s.batch, [&](std::int64_t b) {
    thread_local std::vector<float> wide;
    float* image = dx + b * s.image_size();
    float* to = image;
    if (multiplier != 1) {
      wide.resize(static_cast<std::size_t>(s.image_size() * multiplier));
      to = wide.data();
    }
    const bool adds = beta != 0 && multiplier == 1;
    const Strip strip{nullptr,
                      weight,
                      adds ? to : zeros.data(),
                      to,
                      columns.advance() * channels,
                      adds ? to_place : 0,
                      to_place,
                      channels,
                      walk.ahead()};
    gather_image(walk, strip, dy + b * s.y_size());
    if (multiplier != 1) add_narrowed(s.image_size(), multiplier, to, beta, image);
  });
}

void depthwise_weight_gradient(const ConvShape& s, const float* x, const float* dy, float* dweight,
                               float beta) {
  const std::int64_t channels = s.out_channels, size = s.window.taps() * channels;
  const OutputAxis rows = output_rows(s), columns = output_columns(s);
  const PlaceWalk<OutputAxis> walk(rows, columns, s.width, channels);
  const std::int64_t images = (s.batch + 15) / 16;
  const std::int64_t chunks = (s.batch + images - 1) / images;
  Tensor sums = Tensor::zeros(Shape{chunks, size});
  float* all = sums.mutable_data();
  parallel_for(chunks, [&](std::int64_t chunk) {
    for (std::int64_t b = chunk * images; b < std::min((chunk + 1) * images, s.batch); ++b) {
      const float* image = widened(s, x + b * s.image_size());
      const float* gradient = dy + b * s.y_size();
      walk.for_runs([&](std::int64_t place, std::int64_t count, std::int64_t from,
                        const std::vector<Tap>& taps) {
        const Products run{image + from,       gradient + place * channels,
                           all + chunk * size, columns.advance() * channels,
                           channels,           walk.ahead()};
        for_pieces(kAddProducts, taps, [&](auto add, const Tap* piece) { add(piece, run, count); });
      });
    }
  });
  for (std::int64_t k = 0; k < size; ++k) {
    float sum = 0;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) sum += all[chunk * size + k];
    dweight[k] = beta == 0 ? sum : dweight[k] + sum;
  }
}

}  // namespace pare
