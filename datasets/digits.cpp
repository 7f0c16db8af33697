// From glyph to image: the points of a glyph go through a bend and an affine map, curves become
// short segments, and every pixel near a segment keeps its squared distance to the nearest one; ink
// is a soft threshold of that distance.
#include "datasets/digits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "datasets/digit_glyphs.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/random.h"

namespace pare {
namespace {

constexpr int kSide = static_cast<int>(kDigitSide);
constexpr int kPieces = 4;  // segments per stretch between two control points
constexpr int kBends = 4;   // the bend is a grid of kBends x kBends random displacements
constexpr float kFar = 1e9f;

// A smooth random displacement of the unit box, so that strokes which meet still meet: bilinear
// between grid points.
class Bend {
 public:
  Bend(Random& random, float strength) {
    for (Point& d : grid_)
      d = {random.uniform(-strength, strength), random.uniform(-strength, strength)};
  }
  Point operator()(Point p) const {
    const float x = std::clamp(p.x, 0.0f, 0.999f) * (kBends - 1);
    const float y = std::clamp(p.y, 0.0f, 0.999f) * (kBends - 1);
    const int column = static_cast<int>(x), row = static_cast<int>(y);
    const float u = x - static_cast<float>(column), v = y - static_cast<float>(row);
    const auto at = [&](int r, int c) { return grid_[static_cast<std::size_t>(r * kBends + c)]; };
    const Point a = at(row, column), b = at(row, column + 1), c = at(row + 1, column),
                d = at(row + 1, column + 1);
    const float wa = (1 - u) * (1 - v), wb = u * (1 - v), wc = (1 - u) * v, wd = u * v;
    return {p.x + wa * a.x + wb * b.x + wc * c.x + wd * d.x,
            p.y + wa * a.y + wb * b.y + wc * c.y + wd * d.y};
  }

 private:
  std::array<Point, kBends * kBends> grid_{};
};

// Unit box to pixels: scale, shear, turn about the middle, move.
class Placement {
 public:
  explicit Placement(Random& random) {
    const float height = random.uniform(15.0f, 22.0f);
    const float width = height * random.uniform(0.75f, 1.1f);
    const float shear = random.uniform(-0.3f, 0.3f);
    // t = tan(angle / 2): sine and cosine without a library function. 0.17 is 19 degrees.
    const float t = random.uniform(-0.17f, 0.17f);
    const float cosine = (1 - t * t) / (1 + t * t), sine = 2 * t / (1 + t * t);
    xx_ = cosine * width;
    xy_ = cosine * shear * height - sine * height;
    yx_ = sine * width;
    yy_ = sine * shear * height + cosine * height;
    x_ = 0.5f * kSide + random.uniform(-2.5f, 2.5f);
    y_ = 0.5f * kSide + random.uniform(-2.5f, 2.5f);
  }
  Point operator()(Point p) const {
    const float u = p.x - 0.5f, v = p.y - 0.5f;
    return {x_ + xx_ * u + xy_ * v, y_ + yx_ * u + yy_ * v};
  }

 private:
  float xx_, xy_, yx_, yy_, x_, y_;
};

// Squared distances from pixel centres to the nearest segment, kept where they are below reach^2.
class Canvas {
 public:
  explicit Canvas(float reach) : reach_(reach) { squared_.fill(kFar); }

  void segment(Point a, Point b) {
    const float dx = b.x - a.x, dy = b.y - a.y;
    const float length2 = dx * dx + dy * dy;
    const float inverse = length2 > 0 ? 1 / length2 : 0;
    const auto [top, bottom] = pixels_between(a.y, b.y);
    const auto [left, right] = pixels_between(a.x, b.x);
    for (int row = top; row < bottom; ++row) {
      for (int column = left; column < right; ++column) {
        const float px = static_cast<float>(column) + 0.5f - a.x,
                    py = static_cast<float>(row) + 0.5f - a.y;
        const float along = std::clamp((px * dx + py * dy) * inverse, 0.0f, 1.0f);
        const float ex = px - along * dx, ey = py - along * dy;
        float& nearest = squared_[static_cast<std::size_t>(row * kSide + column)];
        nearest = std::min(nearest, ex * ex + ey * ey);
      }
    }
  }

  // Ink of a round pen: 1 inside, 0 outside, a ramp of one pixel between.
  float ink(std::size_t pixel, float radius) const {
    if (squared_[pixel] == kFar) return 0;
    return std::clamp(radius + 0.5f - std::sqrt(squared_[pixel]), 0.0f, 1.0f);
  }

 private:
  struct Interval {
    int begin, end;
  };
  Interval pixels_between(float a, float b) const {
    const float low = std::clamp(std::min(a, b) - reach_, 0.0f, static_cast<float>(kSide));
    const float high = std::clamp(std::max(a, b) + reach_, 0.0f, static_cast<float>(kSide));
    return {static_cast<int>(low), std::min(static_cast<int>(high) + 1, kSide)};
  }

  float reach_;
  std::array<float, kSide * kSide> squared_;
};

// Catmull-Rom: through all points, with the tangent at a point parallel to the line between its
// neighbours. The ends of a closed stroke know each other, those of an open one repeat themselves.
Point on_curve(const Stroke& p, std::size_t i, float t) {
  const std::size_t last = p.size() - 1;
  const bool closed = p[0].x == p[last].x && p[0].y == p[last].y;
  const Point b = p[i], c = p[i + 1];
  const Point a = i > 0 ? p[i - 1] : (closed ? p[last - 1] : b);
  const Point d = i + 2 <= last ? p[i + 2] : (closed ? p[1] : c);
  const auto mix = [t](float va, float vb, float vc, float vd) {
    const float t1 = vc - va, t2 = 2 * va - 5 * vb + 4 * vc - vd, t3 = 3 * (vb - vc) + vd - va;
    return vb + 0.5f * t * (t1 + t * (t2 + t * t3));
  };
  return {mix(a.x, b.x, c.x, d.x), mix(a.y, b.y, c.y, d.y)};
}

void draw_stroke(Canvas& canvas, const Stroke& stroke, const Bend& bend, const Placement& place) {
  Point before = place(bend(stroke[0]));
  for (std::size_t i = 0; i + 1 < stroke.size(); ++i) {
    for (int piece = 1; piece <= kPieces; ++piece) {
      const Point next = place(bend(on_curve(stroke, i, static_cast<float>(piece) / kPieces)));
      canvas.segment(before, next);
      before = next;
    }
  }
}

// Up to three short dashes anywhere: what a scanner and a careless pen leave behind.
void draw_specks(Canvas& canvas, Random& random) {
  for (std::uint32_t left = random.below(4); left > 0; --left) {
    const Point a = {random.uniform(0, kSide), random.uniform(0, kSide)};
    canvas.segment(a, {a.x + random.uniform(-2.0f, 2.0f), a.y + random.uniform(-2.0f, 2.0f)});
  }
}

// Triangular in [-1, 1].
float noise(Random& random) {
  const std::uint32_t bits = random.bits();
  return (static_cast<float>(bits >> 16) + static_cast<float>(bits & 0xffff)) * (1 / 65535.0f) - 1;
}

}  // namespace

void draw_digit(std::uint64_t seed, DigitsSplit split, std::int64_t index,
                std::span<std::uint8_t> pixels) {
  PARE_ENSURE(pixels.size() == static_cast<std::size_t>(kSide) * kSide);
  const int label = digit_label(index);
  Random random(seed, Stream::digits, static_cast<std::uint64_t>(split),
                static_cast<std::uint64_t>(index));
  const auto styles = digit_glyphs(label);
  const Glyph& glyph = styles[random.below(static_cast<std::uint32_t>(styles.size()))];
  const Bend bend(random, 0.07f);
  const Placement place(random);
  const float radius = random.uniform(0.6f, 1.7f);
  const float speck_radius = random.uniform(0.3f, 0.9f);
  const float darkness = random.uniform(0.65f, 1.0f);
  const float noise_strength = random.uniform(0.02f, 0.2f);

  Canvas strokes(radius + 0.5f), specks(speck_radius + 0.5f);
  for (const Stroke& stroke : glyph) draw_stroke(strokes, stroke, bend, place);
  draw_specks(specks, random);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const float ink = std::max(strokes.ink(i, radius), specks.ink(i, speck_radius));
    const float value = darkness * ink + noise_strength * noise(random);
    pixels[i] = static_cast<std::uint8_t>(std::clamp(value, 0.0f, 1.0f) * 255 + 0.5f);
  }
}

Images make_digits(std::uint64_t seed, DigitsSplit split, std::int64_t count) {
  return make_digits(seed, split, std::vector<bool>(static_cast<std::size_t>(count), true));
}

Images make_digits(std::uint64_t seed, DigitsSplit split, const std::vector<bool>& drawn) {
  constexpr std::int64_t kTile = 250;
  constexpr std::size_t kPixels = static_cast<std::size_t>(kSide) * kSide;
  Images images;
  images.shape = {kDigitSide, kDigitSide, 1};
  images.pixels.resize(drawn.size() * kPixels);
  images.labels.resize(drawn.size());
  parallel_tiles(std::ssize(drawn), kTile, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto at = static_cast<std::size_t>(i);
      images.labels[at] = digit_label(i);
      if (drawn[at])
        draw_digit(seed, split, i, std::span(images.pixels).subspan(at * kPixels, kPixels));
    }
  });
  return images;
}

}  // namespace pare
