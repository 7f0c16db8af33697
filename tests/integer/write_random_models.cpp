// write_random_models FOLDER COUNT: random programs as FOLDER/0.pare, 1.pare, ... with input codes
// for two images each as FOLDER/0.idx, ... (IDX of signed bytes). What the Python interpreter is
// compared with the engine on.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "compression/integer/model_file.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "tests/integer/random_program.h"

namespace pare::integer {
namespace {

constexpr std::int64_t kImages = 2;

void big_endian(ByteWriter& writer, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) writer.u8(static_cast<std::uint8_t>(value >> shift));
}

void write_pair(const std::string& stem, std::uint64_t seed) {
  const Program program = random_program(seed);
  save_model(program, stem + ".pare");
  const Tensor& input = program.tensors[program.input];
  ByteWriter writer;
  big_endian(writer, 0x0904);
  for (const std::int64_t side : {kImages, std::int64_t{input.height}, std::int64_t{input.width},
                                  std::int64_t{input.channels}}) {
    big_endian(writer, static_cast<std::uint32_t>(side));
  }
  const std::vector<std::int8_t> codes = random_codes(program, kImages, seed);
  writer.bytes(std::as_bytes(std::span(codes)));
  write_file_atomically(stem + ".idx", writer.result());
}

}  // namespace
}  // namespace pare::integer

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "usage: write_random_models FOLDER COUNT\n");
    return 2;
  }
  try {
    for (int i = 0; i < std::atoi(words[2]); ++i) {
      pare::integer::write_pair(std::string(words[1]) + "/" + std::to_string(i),
                                5000 + static_cast<std::uint64_t>(i));
    }
    return 0;
  } catch (const pare::Error& error) {
    std::fprintf(stderr, "write_random_models: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
