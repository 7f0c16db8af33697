// Running a network over many images without training it: accuracy and
// calibration.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/normalize.h"
#include "layers/network.h"

namespace pare {

// Called before every batch; may throw to stop.
using BeforeBatch = std::function<void()>;

// Images whose label the ordinary float32 forward finds.
std::int64_t count_correct(
    Network& network, const Images& images, const std::vector<PixelValues>& values,
    const BeforeBatch& before_batch = [] {});

// `count` training images, chosen by the seed, as the network reads them.
Tensor calibration_images(const Images& train, const std::vector<PixelValues>& values,
                          std::uint64_t seed, std::int64_t count);

// Shows `count` training images, chosen by the seed, batch by batch.
void show_calibration(const Images& train, const std::vector<PixelValues>& values,
                      std::uint64_t seed, std::int64_t count, const BeforeBatch& before_batch,
                      const std::function<void(const Tensor&)>& see);

// Runs `count` training images, chosen by the seed, through the network in this pass.
void calibrate(
    Network& network, const Images& train, const std::vector<PixelValues>& values,
    std::uint64_t seed, std::int64_t count, const Pass& pass,
    const BeforeBatch& before_batch = [] {});

}  // namespace pare
