// An integer program as a TensorFlow Lite model.
//
// Our layouts and our arithmetic are TFLite's (docs/arithmetic.md), so this is a matter of writing
// down: weights as int8 with their scales, biases as int32, one operator per operation, and PAD
// where a window's padding is neither VALID nor SAME. Interpreters derive multipliers from the
// float32 scales by the formulas that the program's own come from; those with the reference kernels
// give the same codes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "compression/integer/program.h"

namespace pare {

// `bytes`: input and output are uint8, converted by QUANTIZE at both ends. `images`: how many go
// in at once, the first dimension of every tensor. Throws ConfigError with the layer, the reason
// and the nearest thing that works where TFLite has no such operator.
std::vector<std::byte> encode_tflite(const integer::Program& program, bool bytes,
                                     std::int32_t images = 1);

// The same network in float32, weights and biases as the numbers that their codes stand for:
// what an engine gains by integers is measured with it. Nothing is rounded, and nothing is cut off
// but by relus.
std::vector<std::byte> encode_float_tflite(const integer::Program& program,
                                           std::int32_t images = 1);

// The program that a file of codes describes, its multipliers derived anew from the scales in it:
// what an interpreter with the reference kernels computes. Reads what encode_tflite writes for one
// image at a time. Throws DataError.
integer::Program decode_tflite(std::span<const std::byte> file, const std::string& what);

}  // namespace pare
