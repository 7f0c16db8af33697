// The formats of `export`.
//
// A format turns a program into files and verifies them with the sample; where a file differs from
// the engine by more than the format's arithmetic allows, it throws VerificationError, and nothing
// is written. What a format cannot hold throws ConfigError with the layer, the reason and the
// nearest thing that works.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/lib/export/sample.h"
#include "compression/integer/program.h"
#include "framework/base/error.h"
#include "framework/config/value.h"

namespace pare {

struct ExportJob {
  const integer::Program& program;
  std::string name;      // of the files: the run's name
  bool bytes = false;    // --io uint8
  bool verify = true;    // false: --verify 0
  const Sample& sample;  // never empty; random where nothing is verified
};

struct Exported {
  std::vector<std::pair<std::string, std::string>> files;  // name, content
  std::string report;                                      // for people
  config::Json json = config::Json::object();              // the same for programs
  std::string verified;                                    // how it was verified, or why it was not
};

struct ExportFormat {
  const char* name;
  Exported (*run)(const ExportJob&);
};

std::span<const ExportFormat> export_formats();

Exported export_as_c99(const ExportJob& job);
Exported export_as_onnx(const ExportJob& job);
Exported export_as_safetensors(const ExportJob& job);
Exported export_as_tflite(const ExportJob& job);

// What `read` makes of a file that was just made. One that cannot be read is a form that differs,
// and no damage to the user's model: DataError becomes VerificationError.
template <class Read>
auto read_back(const Read& read) {
  try {
    return read();
  } catch (const DataError& error) {
    throw VerificationError(std::string("what was made cannot be read back: ") + error.what());
  }
}

// Throws VerificationError that begins with `where` unless the outputs are the sample's.
void require_equal(const Sample& sample, const std::vector<std::int8_t>& found,
                   const std::string& where);

}  // namespace pare
