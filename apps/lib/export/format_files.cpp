// Formats that are one file: its bytes are read back, by a reader that shares nothing with the
// writer, into a program that is run; no code may differ.
#include <fmt/format.h>

#include "apps/lib/export/formats.h"
#include "compression/exporters/safetensors/safetensors.h"
#include "compression/exporters/tflite/tflite.h"

namespace pare {
namespace {

std::vector<std::int8_t> outputs_of(const integer::Program& program, const Sample& sample,
                                    const std::string& name) {
  const integer::Engine engine(program);
  std::vector<std::int8_t> outputs(sample.outputs.size());
  if (engine.input_size() * sample.count != std::ssize(sample.codes) ||
      engine.output_size() * sample.count != std::ssize(outputs)) {
    throw DataError(name + ": input or output have another size than the model's");
  }
  engine.run(sample.codes, outputs);
  return outputs;
}

// `read`: the program in the bytes.
template <class Read>
Exported one_file(const ExportJob& job, const std::string& extension,
                  const std::vector<std::byte>& bytes, const Read& read) {
  Exported exported;
  const std::string name = job.name + extension;
  exported.files = {{name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}}};
  exported.verified = "not verified (--verify 0)";
  if (!job.verify) return exported;
  const std::vector<std::int8_t> outputs =
      read_back([&] { return outputs_of(read(bytes, name), job.sample, name); });
  require_equal(job.sample, outputs, name);
  exported.verified =
      fmt::format("verified: read back, 0 of {} codes differ from the engine's ({} {})",
                  outputs.size(), job.sample.count, job.sample.source);
  return exported;
}

}  // namespace

// It holds all of a program, what no image shows too: names, scales, weights no input reaches.
Exported export_as_safetensors(const ExportJob& job) {
  const auto read = [&](std::span<const std::byte> bytes, const std::string& name) {
    integer::Program program = decode_program_safetensors(bytes, name);
    if (program != job.program)
      throw VerificationError(name + ": holds another program than the model's");
    return program;
  };
  return one_file(job, ".safetensors", encode_program_safetensors(job.program), read);
}

Exported export_as_tflite(const ExportJob& job) {
  return one_file(job, ".tflite", encode_tflite(job.program, job.bytes), decode_tflite);
}

}  // namespace pare
