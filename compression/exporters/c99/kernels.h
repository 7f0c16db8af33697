// The C functions of a generated model, as text. Each is emitted only where a program needs it.
//
// They are the formulas of compression/integer/kernels/reference.cpp and arithmetic.h once more, in
// C99 that is C++ too, with what a small processor wants: pointers that are hoisted out of inner
// loops, and no division in them.
#pragma once

namespace pare::c99 {

// Types of all programs; `side_t` and `weight_t` must be declared before.
extern const char* const kTypes;
extern const char* const kTaps;   // taps_of: those inside the image
// layer_t, a convolution of any kind, without its end; `weights_t` before it. kFractionBits: one
// more field, where biases have some.
extern const char* const kLayer;
extern const char* const kFractionBits;

// int32_t scale(int32_t x, int32_t multiplier, int32_t shift): one of the two roundings.
extern const char* const kScaleTwice;
extern const char* const kScaleOnce;
// int8_t requantize(...), on top of scale.
extern const char* const kRequantize;
extern const char* const kClampCode;

extern const char* const kStream;  // take, gap, open_stream: weights as bits
// The weights of one output channel: out of a table, or out of a table or a stream.
extern const char* const kPlainRow;
extern const char* const kAnyRow;
// What a channel's sum starts at, and what is still missing in it. kFineBias: with kFractionBits.
extern const char* const kWholeBias;
extern const char* const kFineBias;
extern const char* const kConvolve;  // conv2d, depthwise_conv2d, dense; with a max pooling or not
extern const char* const kDenseStream;  // dense on a stream, straight from its bits

extern const char* const kMaxPool;
extern const char* const kAveragePool;
extern const char* const kGlobalAverage;
extern const char* const kAdd;
extern const char* const kClamp;

}  // namespace pare::c99
