// "digits": a procedural data set worth training on, for machines without downloads.
//
// 28 x 28 images of handwritten-looking digits: a glyph in one of several styles, bent, turned,
// sheared, scaled and moved, drawn with a pen of random width and darkness, with specks and noise.
// A softmax classifier on the pixels stays under 92 %, a good convolutional network passes 99 %.
// Image i of a split is a function of (seed, split, i) alone, computed with +, -, *, / and sqrt
// only, so that it is the same on every IEEE machine, for any number of threads. Classes take turns
// (label = i modulo 10): every prefix is balanced.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "datasets/dataset.h"

namespace pare {

enum class DigitsSplit : std::uint32_t { train = 0, test = 1 };

inline constexpr std::int64_t kDigitSide = 28;
inline constexpr std::int64_t kDigitsTrain = 60'000;
inline constexpr std::int64_t kDigitsTest = 10'000;
inline constexpr int kDigitClasses = 10;

constexpr int digit_label(std::int64_t index) { return static_cast<int>(index % kDigitClasses); }

// The first `count` images of a split.
Images make_digits(std::uint64_t seed, DigitsSplit split, std::int64_t count);

// Labels of the first `drawn.size()` images of a split, and those images that are `drawn`; the
// others stay black.
Images make_digits(std::uint64_t seed, DigitsSplit split, const std::vector<bool>& drawn);

// One image into `pixels` (28 * 28).
void draw_digit(std::uint64_t seed, DigitsSplit split, std::int64_t index,
                std::span<std::uint8_t> pixels);

}  // namespace pare
