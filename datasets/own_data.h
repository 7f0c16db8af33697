// The user's own images: `idx` (MNIST's format) and `npy` (NumPy's), from one folder with the
// customary names, or from two pairs of files that the config names. Any number of classes; labels
// that nothing carries count.
#pragma once

#include "datasets/kinds.h"

namespace pare {

LoadedFiles load_idx(const LoadRequest& request);
LoadedFiles load_npy(const LoadRequest& request);

// train images, train labels, test images, test labels
inline constexpr const char* kIdxNames[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                            "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
inline constexpr const char* kNpyNames[] = {"x_train.npy", "y_train.npy", "x_test.npy",
                                            "y_test.npy"};

// Test images of another shape than the training images are a DataError; `test_images` names them.
void require_same_shape(const LoadedFiles& files, const std::string& train_images,
                        const std::string& test_images);

}  // namespace pare
