// Writes HDF5 files in Keras's layouts: for tests, after files that Keras 2 and 3 wrote.
#pragma once

#include <cstddef>
#include <vector>

#include "framework/io/keras_h5.h"

namespace pare {

enum class KerasLayout { model, save_weights, weights_h5 };
enum class NameTexts { fixed, variable };  // as h5py before and from 3.0 on writes lists of names

std::vector<std::byte> write_keras(const std::vector<KerasLayer>& layers, KerasLayout layout,
                                   NameTexts names = NameTexts::variable);

}  // namespace pare
