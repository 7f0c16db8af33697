// The ways in which model.pare stores the weight codes of a layer. Layouts: docs/model-format.md,
// "Codes".
//
//   packed          every code takes `bits` bits
//   bitmap          one bit per code (is it not zero?), then the non-zero codes, packed
//   arithmetic      an adaptive coder over flags, signs and magnitudes (arithmetic_coder.h)
//   relative_index  gaps between codes that are not zero, of some bits each (gap_coding.h)
//   huffman         the same gaps and codes as Huffman codes
//
// "Zero" means code == zero point of the channel: the weight whose real value is exactly 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "compression/integer/model_file.h"
#include "compression/integer/operations.h"

namespace pare::integer {

// The first version of the format that has it.
inline std::uint32_t first_version(Coding coding) { return coding > Coding::arithmetic ? 2 : 1; }

std::vector<std::byte> encode_codes(Coding coding, const Weights& weights,
                                    const WeightLayout& layout);

// Fills weights.codes; bits, affine and zero points must have been read and checked. Allocates at
// most about twice layout.count() bytes, and only where `bytes` are enough for that many codes.
// Throws DataError that starts with `what`.
void decode_codes(Coding coding, std::span<const std::byte> bytes, const WeightLayout& layout,
                  const std::string& what, Weights& weights);

}  // namespace pare::integer
