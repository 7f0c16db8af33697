// The data of a model that stands alone: a model.pare holds integers and nothing about where its
// data came from, so they are those of the config.json beside it, or named on the command line.
#pragma once

#include <functional>
#include <string>

#include "compression/integer/program.h"
#include "datasets/dataset.h"

namespace pare {

struct ModelData {
  std::string model;     // path of the model.pare
  std::string kind;      // --dataset; "": what the config beside the model says
  std::string data_dir;  // --data-dir
};

// Throws ConfigError where neither says which data, DataError where they are missing.
Dataset load_model_data(const ModelData& from, const std::function<void(const std::string&)>& warn);

// Throws DataError where the images are no bytes or not of the model's shape.
void require_fit(const integer::Program& program, const Images& images, const std::string& model);

}  // namespace pare
