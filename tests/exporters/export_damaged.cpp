// export_damaged BYTE BITS [arguments of export]: `export` whose writers of files spoil one byte:
// BITS (1 to 255) are flipped in byte BYTE of what they made, before anything reads it back. The
// linker puts these functions in the writers' places (--wrap in tests/exporters.cmake).
#include <cstdlib>
#include <vector>

#include "apps/lib/command_line.h"
#include "apps/lib/export/export_run.h"
#include "compression/exporters/onnx/onnx.h"
#include "compression/integer/program.h"
#include "framework/base/error.h"

namespace {

using Bytes = std::vector<std::byte>;
using pare::integer::Program;

std::size_t place = 0;
std::byte bits{};

Bytes damaged(Bytes file) {
  if (place >= file.size()) throw pare::ConfigError("the file is shorter than that");
  file[place] ^= bits;
  return file;
}

}  // namespace

#define TFLITE "_ZN4pare13encode_tfliteERKNS_7integer7ProgramEbi"
#define SAFETENSORS "_ZN4pare26encode_program_safetensorsERKNS_7integer7ProgramE"
#define ONNX "_ZN4pare4onnx6encodeERKNS0_5GraphE"

Bytes real_tflite(const Program&, bool, std::int32_t) __asm__("__real_" TFLITE);
Bytes real_safetensors(const Program&) __asm__("__real_" SAFETENSORS);
Bytes real_onnx(const pare::onnx::Graph&) __asm__("__real_" ONNX);

Bytes wrap_tflite(const Program&, bool, std::int32_t) __asm__("__wrap_" TFLITE);
Bytes wrap_safetensors(const Program&) __asm__("__wrap_" SAFETENSORS);
Bytes wrap_onnx(const pare::onnx::Graph&) __asm__("__wrap_" ONNX);

Bytes wrap_tflite(const Program& program, bool bytes, std::int32_t images) {
  return damaged(real_tflite(program, bytes, images));
}
Bytes wrap_safetensors(const Program& program) { return damaged(real_safetensors(program)); }
Bytes wrap_onnx(const pare::onnx::Graph& graph) { return damaged(real_onnx(graph)); }

int main(int argc, char** argv) {
  return pare::run_main([&] {
    if (argc < 3) throw pare::ConfigError("usage: export_damaged BYTE BITS [arguments of export]");
    place = std::strtoull(argv[1], nullptr, 10);
    bits = static_cast<std::byte>(std::atoi(argv[2]));
    const auto options = pare::parse_export_options(argc - 2, argv + 2);
    if (!options) return 0;
    pare::Console console;
    pare::export_run(*options, console);
    return 0;
  });
}
