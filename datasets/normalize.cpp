// The tables, and the statistics behind `idx` data that nobody has published a mean of.
#include "datasets/normalize.h"

#include <cmath>
#include <cstdint>

#include "framework/base/error.h"

namespace pare {

PixelValues pixel_values(const Dataset& dataset, int channel) {
  PARE_ENSURE(channel >= 0 && channel < dataset.train.shape[-1]);
  PARE_ENSURE(dataset.mean.size() == dataset.std_dev.size());
  const auto at = static_cast<std::size_t>(channel);
  const float mean = dataset.mean.empty() ? 0.0f : dataset.mean[at];
  const float std_dev = dataset.mean.empty() ? 1.0f : dataset.std_dev[at];
  PixelValues values{};
  for (std::size_t byte = 0; byte < values.size(); ++byte) {
    values[byte] = (static_cast<float>(byte) / 255.0f - mean) / std_dev;
  }
  return values;
}

std::vector<PixelValues> pixel_values(const Dataset& dataset) {
  std::vector<PixelValues> all;
  for (int c = 0; c < dataset.train.shape[-1]; ++c) all.push_back(pixel_values(dataset, c));
  return all;
}

Statistics measure(const Images& images) {
  const auto channels = static_cast<std::size_t>(images.shape[-1]);
  const double count = static_cast<double>(images.pixels.size() / channels);
  Statistics result;
  for (std::size_t c = 0; c < channels; ++c) {
    std::uint64_t sum = 0, squares = 0;
    for (std::size_t i = c; i < images.pixels.size(); i += channels) {
      const std::uint64_t byte = images.pixels[i];
      sum += byte;
      squares += byte * byte;
    }
    const double mean = static_cast<double>(sum) / count;
    const double variance = static_cast<double>(squares) / count - mean * mean;
    result.mean.push_back(static_cast<float>(mean / 255));
    result.std_dev.push_back(variance > 0 ? static_cast<float>(std::sqrt(variance) / 255) : 1.0f);
  }
  return result;
}

}  // namespace pare
