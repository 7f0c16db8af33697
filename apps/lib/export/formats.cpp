#include "apps/lib/export/formats.h"

namespace pare {

std::span<const ExportFormat> export_formats() {
  static constexpr ExportFormat kFormats[] = {{"c99", export_as_c99}};
  return kFormats;
}

}  // namespace pare
