// An integer program as a safetensors file: every array by name, for programs that want the numbers
// (Python, NumPy, PyTorch) and no runtime.
//
// Of a layer that writes tensor T: T.weight (the codes: [out, kh, kw, in], [1, kh, kw, out] or
// [out, in]), T.weight_scale (F32), T.weight_zero_point (affine only), T.bias, T.multiplier,
// T.shift, T.negate (U8, where a channel is). T.multiplier and T.shift too of global averages, and
// of additions (a, b, output). pixel_codes ([channels, 256]). Integers are I32. Scales of tensors,
// shapes, and the operations in their order: JSON in the metadata's "program"; docs/model-format.md
// says what the numbers mean.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "compression/integer/program.h"

namespace pare {

std::vector<std::byte> encode_program_safetensors(const integer::Program& program);

// The program in such a file. Throws DataError where the file is none or its program not valid.
integer::Program decode_program_safetensors(std::span<const std::byte> file,
                                            const std::string& what);

}  // namespace pare
