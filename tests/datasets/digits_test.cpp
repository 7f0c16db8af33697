// The procedural digits: the same bits everywhere, balanced, and hard for a linear classifier.
#include "datasets/digits.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "framework/base/parallel.h"
#include "framework/io/sha256.h"
#include "framework/random.h"

namespace pare {
namespace {

TEST_CASE("the first hundred images of seed 1 are these") {
  const auto hash = [](DigitsSplit split) {
    const Images images = make_digits(1, split, 100);
    return hex(sha256(std::as_bytes(std::span(images.pixels))));
  };
  CHECK(hash(DigitsSplit::train) ==
        "3503a0dbc1be37cd1558ff48e66f7288eb9b37c9b3a95b0e4407b0cb5b8c20ce");
  CHECK(hash(DigitsSplit::test) ==
        "2973ce254cebc66ab55ede8c1d64a164627f9357b7c93e7f91dfe59a54a4937f");
}

TEST_CASE("an image is a function of seed, split and index") {
  const Images all = make_digits(4, DigitsSplit::train, 30);
  std::array<std::uint8_t, 784> alone{};
  draw_digit(4, DigitsSplit::train, 27, alone);
  CHECK(digit_label(27) == 7);
  CHECK(std::equal(alone.begin(), alone.end(), all.pixels.begin() + 27 * 784));
  CHECK(make_digits(5, DigitsSplit::train, 30).pixels != all.pixels);
  CHECK(make_digits(4, DigitsSplit::test, 30).pixels != all.pixels);
}

TEST_CASE("the number of threads changes no bit, and every prefix is balanced") {
  const int before = thread_count();
  set_thread_count(1);
  const Images one = make_digits(1, DigitsSplit::train, 1000);
  set_thread_count(3);
  const Images three = make_digits(1, DigitsSplit::train, 1000);
  set_thread_count(before);
  CHECK(one.pixels == three.pixels);
  CHECK(one.labels == three.labels);
  for (int label = 0; label < 10; ++label)
    CHECK(std::count(one.labels.begin(), one.labels.end(), label) == 100);
}

TEST_CASE("strokes are drawn inside the image: ink is there, and not everywhere") {
  const Images images = make_digits(2, DigitsSplit::train, 500);
  for (std::size_t i = 0; i < 500; ++i) {
    const auto begin = images.pixels.begin() + static_cast<std::ptrdiff_t>(i * 784);
    const auto dark = std::count_if(begin, begin + 784, [](std::uint8_t p) { return p > 100; });
    CAPTURE(i);
    CHECK(dark > 15);
    CHECK(dark < 400);
  }
}

// Softmax regression by plain SGD with a falling step; returns the accuracy on `test`.
double linear_accuracy(const Images& train, const Images& test) {
  constexpr std::size_t kIn = 784, kOut = 10;
  std::vector<float> w(kIn * kOut, 0.0f);
  std::array<float, kOut> bias{};
  const auto logits = [&](const std::uint8_t* x) {
    std::array<float, kOut> z = bias;
    for (std::size_t i = 0; i < kIn; ++i) {
      const float v = static_cast<float>(x[i]) / 255.0f;
      for (std::size_t c = 0; c < kOut; ++c) z[c] += v * w[i * kOut + c];
    }
    return z;
  };
  constexpr int kEpochs = 8;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    const float step = 0.02f * static_cast<float>(kEpochs - epoch) / kEpochs;
    for (const std::int32_t i :
         permutation(train.count(), Random(1, Stream::test, static_cast<std::uint64_t>(epoch)))) {
      const std::uint8_t* x = train.pixels.data() + static_cast<std::size_t>(i) * kIn;
      auto z = logits(x);
      const float top = *std::max_element(z.begin(), z.end());
      float sum = 0;
      for (float& v : z) sum += v = std::exp(v - top);
      for (float& v : z) v *= -step / sum;
      z[static_cast<std::size_t>(train.labels[static_cast<std::size_t>(i)])] += step;
      for (std::size_t p = 0; p < kIn; ++p) {
        if (x[p] == 0) continue;
        const float v = static_cast<float>(x[p]) / 255.0f;
        for (std::size_t c = 0; c < kOut; ++c) w[p * kOut + c] += v * z[c];
      }
      for (std::size_t c = 0; c < kOut; ++c) bias[c] += z[c];
    }
  }
  std::int64_t right = 0;
  for (std::size_t i = 0; i < test.labels.size(); ++i) {
    const auto z = logits(test.pixels.data() + i * kIn);
    right += std::max_element(z.begin(), z.end()) - z.begin() == test.labels[i];
  }
  return static_cast<double>(right) / static_cast<double>(test.count());
}

TEST_CASE("a linear classifier stays under 92 percent, though it learns") {
  if (!std::getenv("PARE_SLOW")) {
    MESSAGE("skipped: PARE_SLOW is not set");
    return;
  }
  const double accuracy = linear_accuracy(make_digits(1, DigitsSplit::train, kDigitsTrain),
                                          make_digits(1, DigitsSplit::test, kDigitsTest));
  MESSAGE("softmax regression: ", accuracy);
  CHECK(accuracy < 0.92);
  CHECK(accuracy > 0.70);
}

}  // namespace
}  // namespace pare
