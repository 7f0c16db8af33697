#include "apps/lib/export/formats.h"

#include <fmt/format.h>

#include "framework/base/error.h"

namespace pare {

std::span<const ExportFormat> export_formats() {
  static constexpr ExportFormat kFormats[] = {{"c99", export_as_c99},
                                              {"tflite", export_as_tflite},
                                              {"onnx", export_as_onnx},
                                              {"safetensors", export_as_safetensors}};
  return kFormats;
}

void require_equal(const Sample& sample, const std::vector<std::int8_t>& found,
                   const std::string& where) {
  const Difference d = compare(sample, found);
  if (d.differing == 0) return;
  throw VerificationError(
      fmt::format("{}: {} of {} codes differ from the engine's, by up to {}; the first in image {}",
                  where, d.differing, d.codes, d.largest, d.first_image));
}

}  // namespace pare
