// One function per kind and the table that names them. Each writes every byte of its output.
#include "datasets/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string_view>
#include <type_traits>

#include "framework/base/error.h"
#include "framework/config/object.h"

namespace pare {
namespace {

template <class Pixel>
struct Job {
  const Augmentation& settings;
  std::int64_t height, width, channels;
  const Pixel* in;
  const Pixel* blank;  // an image of nothing but fill
  Pixel* out;
  Random& random;

  std::int64_t size() const { return height * width * channels; }
};

// Uniform in -most .. most.
std::int64_t draw_offset(Random& random, std::int64_t most) {
  return static_cast<std::int64_t>(random.below(static_cast<std::uint32_t>(2 * most + 1))) - most;
}

// out(row, column) = in(row - down, column - right).
template <class Pixel>
void move_by(const Job<Pixel>& job, std::int64_t down, std::int64_t right) {
  const std::int64_t row_size = job.width * job.channels;
  const std::int64_t kept = std::max<std::int64_t>(0, job.width - std::abs(right)) * job.channels;
  const std::int64_t to = std::max<std::int64_t>(0, right) * job.channels;
  const std::int64_t from = std::max<std::int64_t>(0, -right) * job.channels;
  std::copy_n(job.blank, job.size(), job.out);
  if (kept == 0) return;
  const std::int64_t first = std::max<std::int64_t>(0, down),
                     last = std::min(job.height, job.height + down);
  for (std::int64_t row = first; row < last; ++row) {
    std::copy_n(job.in + (row - down) * row_size + from, kept, job.out + row * row_size + to);
  }
}

template <class Pixel>
void shift(const Job<Pixel>& job) {
  const std::int64_t down = draw_offset(job.random, job.settings.pixels);
  const std::int64_t right = draw_offset(job.random, job.settings.pixels);
  move_by(job, down, right);
}

// A random window of the image padded with `padding` zeros all around: the same as a shift by up to
// `padding`.
template <class Pixel>
void crop(const Job<Pixel>& job) {
  const std::int64_t down = draw_offset(job.random, job.settings.padding);
  const std::int64_t right = draw_offset(job.random, job.settings.padding);
  move_by(job, down, right);
}

// Left and right change places, every second time.
template <class Pixel>
void flip(const Job<Pixel>& job) {
  if (job.random.below(2) == 0) {
    std::copy_n(job.in, job.size(), job.out);
    return;
  }
  const std::int64_t row_size = job.width * job.channels;
  for (std::int64_t row = 0; row < job.height; ++row) {
    const Pixel* in = job.in + row * row_size;
    Pixel* out = job.out + (row + 1) * row_size;  // of the row's last pixel, from its end
    for (std::int64_t column = 0; column < job.width; ++column) {
      out -= job.channels;
      for (std::int64_t c = 0; c < job.channels; ++c) out[c] = *in++;
    }
  }
}

template <class Pixel>
Pixel rounded(float value) {
  return std::is_same_v<Pixel, float> ? static_cast<Pixel>(value)
                                      : static_cast<Pixel>(value + 0.5f);
}

// The largest integer not above x; std::floor is a call where the processor is not known.
std::int64_t floor_of(float x) {
  const auto whole = static_cast<std::int32_t>(x);
  return whole - (static_cast<float>(whole) > x);
}

// Bilinear between the four neighbours of (y, x); what lies outside is blank.
template <class Pixel>
void interpolate(const Job<Pixel>& job, float y, float x, Pixel* out) {
  const std::int64_t top = floor_of(y), left = floor_of(x);
  const float v = y - static_cast<float>(top), u = x - static_cast<float>(left);
  const auto at = [&](std::int64_t row, std::int64_t column) {
    const bool inside = row >= 0 && row < job.height && column >= 0 && column < job.width;
    return inside ? job.in + (row * job.width + column) * job.channels : job.blank;
  };
  const Pixel *a = at(top, left), *b = at(top, left + 1);
  const Pixel *c = at(top + 1, left), *d = at(top + 1, left + 1);
  const auto value = [](Pixel pixel) { return static_cast<float>(pixel); };
  for (std::int64_t i = 0; i < job.channels; ++i) {
    out[i] = rounded<Pixel>((1 - v) * ((1 - u) * value(a[i]) + u * value(b[i])) +
                            v * ((1 - u) * value(c[i]) + u * value(d[i])));
  }
}

// About the middle of the image: every output pixel looks up where it came from.
template <class Pixel>
void rotate(const Job<Pixel>& job) {
  const float angle = static_cast<float>(job.settings.degrees * std::numbers::pi / 180) *
                      job.random.uniform(-1.0f, 1.0f);
  const float cosine = std::cos(angle), sine = std::sin(angle);
  const float middle_y = static_cast<float>(job.height - 1) / 2,
              middle_x = static_cast<float>(job.width - 1) / 2;
  Pixel* out = job.out;
  for (std::int64_t row = 0; row < job.height; ++row) {
    for (std::int64_t column = 0; column < job.width; ++column, out += job.channels) {
      const float dy = static_cast<float>(row) - middle_y,
                  dx = static_cast<float>(column) - middle_x;
      interpolate(job, middle_y + cosine * dy - sine * dx, middle_x + sine * dy + cosine * dx, out);
    }
  }
}

// DeVries and Taylor 2017 (arXiv 1708.04552): a square of zeros whose centre is any pixel; what
// sticks out is cut off.
template <class Pixel>
void cutout(const Job<Pixel>& job) {
  std::copy_n(job.in, job.size(), job.out);
  const auto centre_y =
      static_cast<std::int64_t>(job.random.below(static_cast<std::uint32_t>(job.height)));
  const auto centre_x =
      static_cast<std::int64_t>(job.random.below(static_cast<std::uint32_t>(job.width)));
  const std::int64_t top = centre_y - job.settings.size / 2,
                     left = centre_x - job.settings.size / 2;
  const std::int64_t first = std::max<std::int64_t>(0, left),
                     last = std::min(job.width, left + job.settings.size);
  for (std::int64_t row = std::max<std::int64_t>(0, top);
       row < std::min(job.height, top + job.settings.size); ++row) {
    const std::int64_t at = (row * job.width + first) * job.channels;
    std::copy_n(job.blank + at, (last - first) * job.channels, job.out + at);
  }
}

template <class Pixel>
struct Kind {
  std::string_view name;
  void (*run)(const Job<Pixel>&);
};
template <class Pixel>
constexpr std::array<Kind<Pixel>, 5> kKinds = {
    {{"shift", shift}, {"crop", crop}, {"flip", flip}, {"rotate", rotate}, {"cutout", cutout}}};

}  // namespace

void Augmentation::describe(config::Object& o) {
  using config::Object;
  o.alternatives("kind", kind,
                 {{"shift",
                   [this](Object& a) {
                     a.integer("pixels", pixels, {.min = 0, .max = 1024},
                               "moved by up to this many pixels, each way");
                   }},
                  {"crop",
                   [this](Object& a) {
                     a.integer("padding", padding, {.min = 0, .max = 1024},
                               "a random window of the image with this much zero padding");
                   }},
                  {"flip", [](Object&) {}},
                  {"rotate",
                   [this](Object& a) {
                     a.real("degrees", degrees, {.min = 0, .max = 180},
                            "turned by up to this angle, each way");
                   }},
                  {"cutout",
                   [this](Object& a) {
                     a.integer("size", size, {.min = 1, .max = 1024},
                               "side of the square of zeros");
                   }}},
                 "what is done to a training image");
}

template <class Pixel>
Augmenter<Pixel>::Augmenter(const Shape& shape, std::span<const Augmentation> list,
                            std::span<const Pixel> fill)
    : shape_(shape), list_(list) {
  PARE_ENSURE(fill.empty() || std::ssize(fill) == shape[2]);
  if (list.empty()) return;
  blank_.resize(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; !fill.empty() && i < blank_.size(); ++i)
    blank_[i] = fill[i % fill.size()];
  for (auto& buffer : scratch_) buffer.resize(blank_.size());
}

template <class Pixel>
std::span<const Pixel> Augmenter<Pixel>::apply(std::span<const Pixel> image, Random random) {
  for (std::size_t i = 0; i < list_.size(); ++i) {
    const auto& kinds = kKinds<Pixel>;
    const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                   [&](const auto& k) { return k.name == list_[i].kind; });
    PARE_ENSURE(kind != kinds.end());
    std::vector<Pixel>& out = scratch_[i % 2];
    kind->run({list_[i], shape_[0], shape_[1], shape_[2], image.data(), blank_.data(), out.data(),
               random});
    image = out;
  }
  return image;
}

template class Augmenter<std::uint8_t>;
template class Augmenter<float>;

}  // namespace pare
