// model.pare: an integer program as bytes. Layout: docs/model-format.md.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "compression/integer/program.h"

namespace pare::integer {

// How the codes of one layer are stored; the writer takes the smallest of all for each layer.
enum class Coding : std::uint8_t {
  packed = 0,
  bitmap = 1,
  arithmetic = 2,
  relative_index = 3,
  huffman = 4
};
inline constexpr std::array kCodings = {Coding::packed, Coding::bitmap, Coding::arithmetic,
                                        Coding::relative_index, Coding::huffman};

struct LayerBytes {
  std::string name;                                  // of the layer's output tensor
  Coding coding;                                     // the one used
  std::array<std::uint64_t, kCodings.size()> bytes;  // of the codes under each of kCodings
  std::uint64_t used() const { return bytes[static_cast<std::size_t>(coding)]; }
};

// Deterministic: equal programs give equal bytes.
std::vector<std::byte> encode_model(const Program& program);
std::vector<LayerBytes> coding_sizes(const Program& program);

// One piece of the file, in its order; the pieces' bytes add up to its size.
struct Section {
  std::string operation;  // its output tensor, or "" for what belongs to all
  std::string part;       // "codes", "scales", "biases and multipliers", "tensors", ...
  std::uint64_t bytes;
};
std::vector<Section> model_sections(const Program& program);

const char* name_of(Coding coding);  // "packed"

// Checks the CRC-32 first, then everything else (validate). Throws DataError; `what` names the file
// in messages.
Program decode_model(std::span<const std::byte> bytes, const std::string& what);

void save_model(const Program& program, const std::string& path);
Program load_model(const std::string& path);

}  // namespace pare::integer
