#include "datasets/labels.h"

#include <algorithm>

#include "framework/base/error.h"

namespace pare {

void require_labels(std::span<const std::int32_t> labels, int classes, const std::string& path) {
  const auto bad = std::find_if(labels.begin(), labels.end(),
                                [&](std::int32_t label) { return label < 0 || label >= classes; });
  if (bad == labels.end()) return;
  throw DataError(path + ": label " + std::to_string(bad - labels.begin()) + ": expected 0 to " +
                  std::to_string(classes - 1) + ", got " + std::to_string(*bad));
}

int classes_of(std::span<const std::int32_t> labels) {
  return labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + 1;
}

}  // namespace pare
