// The tables, and the statistics behind data that nobody has published a mean of.
#include "datasets/normalize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "framework/base/error.h"

namespace pare {
namespace {

void append(Statistics& to, double mean, double deviation) {
  to.mean.push_back(static_cast<float>(mean));
  const auto divisor = static_cast<float>(deviation);
  to.std_dev.push_back(divisor > 0 ? divisor : 1.0f);
}

Statistics measure_bytes(const Images& images) {
  const auto channels = static_cast<std::size_t>(images.shape[-1]);
  const double count = static_cast<double>(images.pixels.size()) / static_cast<double>(channels);
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
    append(result, mean / 255, std::sqrt(std::max(variance, 0.0)) / 255);
  }
  return result;
}

// Two passes: the mean first, so that nothing cancels.
Statistics measure_floats(const Images& images) {
  const auto channels = static_cast<std::size_t>(images.shape[-1]);
  const double count = static_cast<double>(images.values.size()) / static_cast<double>(channels);
  Statistics result;
  for (std::size_t c = 0; c < channels; ++c) {
    double sum = 0, squares = 0;
    for (std::size_t i = c; i < images.values.size(); i += channels)
      sum += static_cast<double>(images.values[i]);
    const double mean = sum / count;
    for (std::size_t i = c; i < images.values.size(); i += channels) {
      const double distance = static_cast<double>(images.values[i]) - mean;
      squares += distance * distance;
    }
    append(result, mean, std::sqrt(squares / count));
  }
  return result;
}

}  // namespace

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
  if (dataset.train.are_floats()) return all;
  for (int c = 0; c < dataset.train.shape[-1]; ++c) all.push_back(pixel_values(dataset, c));
  return all;
}

void normalize_values(Images& images, std::span<const float> mean, std::span<const float> std_dev) {
  const auto channels = static_cast<std::size_t>(images.shape[-1]);
  images.fill.assign(channels, 0.0f);
  if (mean.empty()) return;
  PARE_ENSURE(mean.size() == channels && std_dev.size() == channels);
  const auto normalize = [&](std::vector<float>& values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = (values[i] - mean[i % channels]) / std_dev[i % channels];
  };
  normalize(images.values);
  normalize(images.fill);
}

Statistics measure(const Images& images) {
  return images.are_floats() ? measure_floats(images) : measure_bytes(images);
}

}  // namespace pare
