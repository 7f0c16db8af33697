// export_random_files FORMAT FOLDER COUNT: random programs as r0.tflite or r0.onnx, ..., with codes
// of a few images (r0.in) and what the engine gives for them (r0.out). tflite: programs of several
// 8-bit operations; onnx, which may differ by one code per operation: one operation on any grid.
// Programs that the format refuses are left out. For onnx_test.py and tests/interop.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "compression/exporters/onnx/onnx.h"
#include "compression/exporters/tflite/tflite.h"
#include "compression/integer/engine.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "tests/integer/random_layer.h"
#include "tests/integer/random_program.h"

namespace pare {
namespace {

constexpr std::int64_t kImages = 3;

integer::Program draw(const std::string& format, std::uint64_t seed) {
  if (format == "tflite") return integer::random_program(seed, integer::Grids::int8);
  return integer::random_layer(seed);
}

std::vector<std::byte> encode(const std::string& format, const integer::Program& program) {
  if (format == "tflite") return encode_tflite(program, false);
  if (format == "onnx") return onnx::encode(onnx_graph(program, false));
  throw FailedError("unknown format " + format);
}

// False where the format refuses the program.
bool write_program(const std::string& format, const std::string& stem, std::uint64_t seed) {
  const integer::Program program = draw(format, seed);
  try {
    write_file_atomically(stem + "." + format, encode(format, program));
  } catch (const ConfigError&) {
    return false;
  }
  const integer::Engine engine(program, {.reference = true});
  const std::vector<std::int8_t> codes = integer::extreme_codes(program, kImages, seed);
  std::vector<std::int8_t> outputs(static_cast<std::size_t>(kImages * engine.output_size()));
  engine.run(codes, outputs);
  write_file_atomically(stem + ".in", std::as_bytes(std::span(codes)));
  write_file_atomically(stem + ".out", std::as_bytes(std::span(outputs)));
  return true;
}

}  // namespace
}  // namespace pare

int main(int count, char** words) {
  if (count != 4) {
    std::fprintf(stderr, "usage: export_random_files FORMAT FOLDER COUNT\n");
    return 2;
  }
  try {
    std::uint64_t seed = 40000;
    for (int i = 0; i < std::atoi(words[3]); ++seed) {
      i += pare::write_program(words[1], std::string(words[2]) + "/r" + std::to_string(i), seed);
    }
    std::printf("%llu programs, %s refused\n", static_cast<unsigned long long>(seed - 40000),
                std::to_string(seed - 40000 - std::strtoull(words[3], nullptr, 10)).c_str());
    return 0;
  } catch (const pare::Error& error) {
    std::fprintf(stderr, "export_random_files: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
