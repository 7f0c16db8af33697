// How the ten digits are written: strokes as lists of control points, two to four styles per digit.
//
// Pure data in a unit box, x to the right, y downwards. A stroke is a smooth curve through its
// points; a corner is where one stroke ends and the next begins. digits.h turns glyphs into images.
#pragma once

#include <span>
#include <vector>

namespace pare {

struct Point {
  float x, y;
};
using Stroke = std::vector<Point>;
using Glyph = std::vector<Stroke>;

// The styles of one digit, 0 to 9.
std::span<const Glyph> digit_glyphs(int digit);

}  // namespace pare
