// Each augmentation against what its definition says about single pixels.
#include "datasets/augment.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "framework/config/config.h"
#include "tests/datasets/files.h"

namespace pare {
namespace {

using test::Bytes;

constexpr std::int64_t kHeight = 7, kWidth = 5, kChannels = 2;
const Shape kShape = {kHeight, kWidth, kChannels};

// No byte is 0, so a 0 in the result was filled in.
Bytes picture() {
  Bytes bytes = test::counting(static_cast<std::size_t>(kShape.size()));
  for (std::uint8_t& byte : bytes) ++byte;
  return bytes;
}

std::uint8_t pixel(const Bytes& image, std::int64_t y, std::int64_t x, std::int64_t c) {
  if (y < 0 || y >= kHeight || x < 0 || x >= kWidth) return 0;
  return image[static_cast<std::size_t>((y * kWidth + x) * kChannels + c)];
}

// out(y, x, c) = in(where(y, x), c) for all pixels.
template <class Where>
bool is_map(const Bytes& out, const Bytes& in, const Where& where) {
  for (std::int64_t y = 0; y < kHeight; ++y) {
    for (std::int64_t x = 0; x < kWidth; ++x) {
      const auto [from_y, from_x] = where(y, x);
      for (std::int64_t c = 0; c < kChannels; ++c) {
        if (pixel(out, y, x, c) != pixel(in, from_y, from_x, c)) return false;
      }
    }
  }
  return true;
}

using Place = std::pair<std::int64_t, std::int64_t>;

Bytes apply(const std::vector<Augmentation>& list, const Bytes& image, std::uint64_t draw) {
  Augmenter<std::uint8_t> augmenter(kShape, list);
  const auto out = augmenter.apply(image, Random(1, Stream::test, draw));
  return {out.begin(), out.end()};
}

Augmentation make(const std::string& kind) {
  Augmentation a;
  a.kind = kind;
  return a;
}

// The shift that turns `in` into `out`, and how many there are (must be one).
std::vector<Place> shifts_between(const Bytes& in, const Bytes& out, std::int64_t most) {
  std::vector<Place> found;
  for (std::int64_t down = -most; down <= most; ++down) {
    for (std::int64_t right = -most; right <= most; ++right) {
      if (is_map(out, in, [&](auto y, auto x) { return Place{y - down, x - right}; })) {
        found.emplace_back(down, right);
      }
    }
  }
  return found;
}

TEST_CASE("shift moves exactly, by every offset up to its limit, and fills with zeros") {
  Augmentation shift = make("shift");
  shift.pixels = 2;
  std::set<Place> seen;
  for (std::uint64_t draw = 0; draw < 500; ++draw) {
    const auto found = shifts_between(picture(), apply({shift}, picture(), draw), 3);
    REQUIRE(found.size() == 1);
    REQUIRE(std::max(std::abs(found[0].first), std::abs(found[0].second)) <= 2);
    seen.insert(found[0]);
  }
  CHECK(seen.size() == 25);
}

TEST_CASE("crop is a window of the padded image") {
  Augmentation crop = make("crop");
  crop.padding = 1;
  std::set<Place> seen;
  for (std::uint64_t draw = 0; draw < 200; ++draw) {
    const auto found = shifts_between(picture(), apply({crop}, picture(), draw), 2);
    REQUIRE(found.size() == 1);
    seen.insert(found[0]);
  }
  CHECK(seen.size() == 9);
}

TEST_CASE("a shift beyond the image leaves zeros, and no byte outside is touched") {
  Augmentation shift = make("shift");
  shift.pixels = 1024;
  int empty = 0;
  for (std::uint64_t draw = 0; draw < 50; ++draw) {
    const Bytes out = apply({shift}, picture(), draw);
    empty += std::all_of(out.begin(), out.end(), [](std::uint8_t b) { return b == 0; });
  }
  CHECK(empty > 40);
}

TEST_CASE("flip mirrors about half of the images and leaves the others alone") {
  int mirrored = 0, same = 0;
  for (std::uint64_t draw = 0; draw < 400; ++draw) {
    const Bytes out = apply({make("flip")}, picture(), draw);
    mirrored += is_map(out, picture(), [](auto y, auto x) { return Place{y, kWidth - 1 - x}; });
    same += out == picture();
  }
  CHECK(mirrored + same == 400);
  CHECK(mirrored > 150);
  CHECK(same > 150);
}

TEST_CASE("a rotation by 0 degrees changes nothing, a larger one keeps the middle") {
  Augmentation rotate = make("rotate");
  rotate.degrees = 0;
  CHECK(apply({rotate}, picture(), 1) == picture());
  rotate.degrees = 180;
  std::set<std::string> different;
  for (std::uint64_t draw = 0; draw < 20; ++draw) {
    const Bytes out = apply({rotate}, picture(), draw);
    for (std::int64_t c = 0; c < kChannels; ++c)
      CHECK(pixel(out, 3, 2, c) == pixel(picture(), 3, 2, c));
    different.emplace(out.begin(), out.end());
  }
  CHECK(different.size() > 15);
}

TEST_CASE("a rotation keeps a round blob round") {
  // A disk about the middle is its own rotation, up to interpolation at its edge: its sum hardly
  // changes.
  const Shape shape = {15, 15, 1};
  Bytes disk(225, 0);
  int sum = 0;
  for (int y = 0; y < 15; ++y) {
    for (int x = 0; x < 15; ++x) {
      if ((y - 7) * (y - 7) + (x - 7) * (x - 7) <= 20)
        sum += disk[static_cast<std::size_t>(y * 15 + x)] = 200;
    }
  }
  Augmentation rotate = make("rotate");
  rotate.degrees = 180;
  const std::vector<Augmentation> list = {rotate};
  Augmenter<std::uint8_t> augmenter(shape, list);
  for (std::uint64_t draw = 0; draw < 20; ++draw) {
    int turned = 0;
    for (const std::uint8_t byte : augmenter.apply(disk, Random(1, Stream::test, draw)))
      turned += byte;
    CHECK(std::abs(turned - sum) < sum / 20);
  }
}

TEST_CASE("cutout zeroes one rectangle of at most size x size and nothing else") {
  Augmentation cutout = make("cutout");
  cutout.size = 3;
  int full = 0;
  for (std::uint64_t draw = 0; draw < 100; ++draw) {
    const Bytes out = apply({cutout}, picture(), draw);
    std::int64_t top = kHeight, bottom = -1, left = kWidth, right = -1, zeros = 0;
    for (std::int64_t y = 0; y < kHeight; ++y) {
      for (std::int64_t x = 0; x < kWidth; ++x) {
        if (pixel(out, y, x, 0) == 0) {
          top = std::min(top, y), bottom = std::max(bottom, y);
          left = std::min(left, x), right = std::max(right, x), ++zeros;
          REQUIRE(pixel(out, y, x, 1) == 0);
        } else {
          REQUIRE(pixel(out, y, x, 0) == pixel(picture(), y, x, 0));
          REQUIRE(pixel(out, y, x, 1) == pixel(picture(), y, x, 1));
        }
      }
    }
    REQUIRE(zeros == (bottom - top + 1) * (right - left + 1));
    REQUIRE(bottom - top < 3);
    REQUIRE(right - left < 3);
    full += zeros == 9;
  }
  CHECK(full > 30);
}

TEST_CASE("augmentations run in their order, each on the result of the one before") {
  Augmentation shift = make("shift"), cutout = make("cutout");
  cutout.size = 1024;
  for (const auto& list : {std::vector{shift, cutout}, std::vector{cutout, shift},
                           std::vector{shift, shift, cutout}}) {
    const Bytes out = apply(list, picture(), 3);
    CHECK(std::count(out.begin(), out.end(), 0) == static_cast<std::ptrdiff_t>(out.size()));
  }
  CHECK(apply({}, picture(), 3) == picture());
}

TEST_CASE("images of floats are changed as images of bytes are, and filled with what 0 became") {
  const Bytes bytes = picture();
  const std::vector<float> fill = {-1.0f, -2.0f};
  std::vector<float> floats(bytes.begin(), bytes.end());
  for (const std::string kind : {"shift", "crop", "flip", "cutout"}) {
    const std::vector<Augmentation> list = {make(kind)};
    Augmenter<float> augmenter(kShape, list, fill);
    for (std::uint64_t draw = 0; draw < 20; ++draw) {
      const Bytes expected = apply(list, bytes, draw);
      const auto out = augmenter.apply(floats, Random(1, Stream::test, draw));
      for (std::size_t i = 0; i < expected.size(); ++i)
        REQUIRE(out[i] == (expected[i] == 0 ? fill[i % 2] : static_cast<float>(expected[i])));
    }
  }
  Augmentation rotate = make("rotate");
  rotate.degrees = 180;
  const std::vector<Augmentation> list = {rotate};
  Augmenter<float> augmenter(kShape, list, fill);
  for (std::uint64_t draw = 0; draw < 20; ++draw) {
    const Bytes rounded = apply(list, bytes, draw);
    const auto out = augmenter.apply(floats, Random(1, Stream::test, draw));
    const std::int64_t middle = (3 * kWidth + 2) * kChannels;
    CHECK(out[static_cast<std::size_t>(middle)] == floats[static_cast<std::size_t>(middle)]);
    for (std::size_t i = 0; i < rounded.size(); ++i)
      REQUIRE(std::abs(out[i] - static_cast<float>(rounded[i])) <= 2.5f);
  }
}

TEST_CASE("every kind that a config accepts can be applied") {
  for (const std::string kind : {"shift", "crop", "flip", "rotate", "cutout"}) {
    const auto read =
        config::read<Augmentation>(config::load_text(R"({"kind": ")" + kind + R"("})", "x.json"));
    CHECK(read.kind == kind);
    CHECK(apply({read}, picture(), 1).size() == picture().size());
  }
  CHECK(test::contains(test::message_of([] {
                         config::read<Augmentation>(
                             config::load_text(R"({"kind": "shift", "padding": 2})", "x.json"));
                       }),
                       "padding"));
}

}  // namespace
}  // namespace pare
