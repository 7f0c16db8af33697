// The part of validation that needs no weights: tensors, indices, windows, shapes and sizes.
//
// Separate from validate.h because a reader of model.pare must know that the sizes are sane
// *before* it allocates room for the weights of an operation. All arithmetic is on 64-bit integers
// that the caps below keep far from overflow.
#pragma once

#include <cstdint>
#include <string>

#include "compression/integer/program.h"

namespace pare::integer {

// Caps of format and engine. A side has at most 2^16, a tensor or a layer's weights at most 2^26
// codes, all tensors together 2^27. An image takes at most 2^36 steps (work_of), four times what
// VGG-16 takes on ImageNet.
inline constexpr std::int64_t kMaxSide = std::int64_t{1} << 16;
inline constexpr std::int64_t kMaxCodes = std::int64_t{1} << 26;
inline constexpr std::int64_t kMaxTotalCodes = std::int64_t{1} << 27;
inline constexpr std::int64_t kMaxWork = std::int64_t{1} << 36;
inline constexpr std::int64_t kMaxOperations = 4096;
inline constexpr std::int64_t kMaxTensors = kMaxOperations + 1;
inline constexpr std::int64_t kMaxNameLength = 255;

// "operation 3 (conv2d 'conv1')": how messages name operation `index`.
std::string describe(const Program& program, std::size_t index);

// Throws DataError: names, which become names of files and stand in generated code; number of
// tensors and operations; each tensor's shape, zero point, code range and scale; the codes of all
// tensors; the program's input and output indices; the pixel tables.
void check_tensors(const Program& program);

// Throws DataError: the operation's tensor indices, its window and groups, the shape of its output,
// the size of its weights, and grids that input and output must share. check_tensors must have
// passed.
void check_geometry(const Program& program, std::size_t index);

// The steps of one image: output codes x taps, pools included, and the codes that operations read,
// with their padding. Each operation counts with at most 2 * kMaxWork. check_geometry must have
// passed for all operations.
std::int64_t work_of(const Program& program);

// Throws DataError where that is more than kMaxWork.
void check_work(const Program& program);

// [[noreturn]] helper of all: DataError "model '<name>': <where>: <what>", printable.
[[noreturn]] void refuse(const Program& program, const std::string& where, const std::string& what);

}  // namespace pare::integer
