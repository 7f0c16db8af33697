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

// Throw DataError where a network (`subject` names its file) takes images of another shape, or
// tells another number of classes apart.
void require_shape(const Shape& expected, const Images& images, const std::string& subject);
void require_classes(std::int64_t outputs, const Dataset& dataset, const std::string& subject);

}  // namespace pare
