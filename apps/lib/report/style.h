// The page's style sheet: one for light, dark and paper. Colours are the ones of Okabe and Ito
// ("Color universal design", 2008), told apart by every kind of colour vision, and their lighter
// forms on a dark background.
#pragma once

namespace pare::report {

extern const char* const kStyleSheet;

}  // namespace pare::report
