// Random configs over all layers, optimizers, schedules and methods, with data of random shape.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "datasets/dataset.h"
#include "framework/config/value.h"

namespace pare {

struct RandomConfig {
  Dataset data;  // noise around one picture per class
  config::Json json;
};
RandomConfig random_config(std::uint64_t seed);

}  // namespace pare
