// Networks with structures to prune, of which shrinking takes out channels: on [6, 6, 2], four
// classes.
#pragma once

#include "framework/random.h"
#include "layers/network.h"

namespace pare {

struct ShrinkCase {
  const char* what;
  const char* nodes;
  const char* config;
  bool unread = false;  // what goes is not masked itself: it is what nobody reads
};

inline constexpr ShrinkCase kShrinkCases[] = {
    {"batch norm behind a `same` padded convolution",
     R"([{"kind": "conv2d", "filters": 8, "kernel": 3, "padding": "same"}, {"kind": "batch_norm"},
         {"kind": "relu"}, {"kind": "conv2d", "filters": 6, "kernel": 3, "padding": "same"},
         {"kind": "batch_norm"}, {"kind": "relu"}, {"kind": "global_avg_pool2d"},
         {"kind": "flatten"}, {"kind": "dense", "units": 4}])",
     R"({"granularity": "filter", "sparsity": 0.5})"},
    {"flatten into dense",
     R"([{"kind": "conv2d", "filters": 8, "kernel": 3, "activation": "relu"},
         {"kind": "max_pool2d", "size": 2}, {"kind": "flatten"},
         {"kind": "dense", "units": 10, "activation": "relu"}, {"kind": "dense", "units": 4}])",
     R"({"granularity": "filter", "norm": "l2", "sparsity": 0.6})"},
    {"a residual add",
     R"([{"kind": "conv2d", "name": "stem", "filters": 8, "kernel": 3, "padding": "same"},
         {"kind": "relu", "name": "r"},
         {"kind": "conv2d", "filters": 5, "kernel": 3, "padding": "same"}, {"kind": "batch_norm"},
         {"kind": "relu"},
         {"kind": "conv2d", "name": "end", "filters": 8, "kernel": 3, "padding": "same"},
         {"kind": "add", "inputs": ["r", "end"]}, {"kind": "relu"}, {"kind": "flatten"},
         {"kind": "dense", "units": 4}])",
     R"({"granularity": "filter", "sparsity": 0.5})"},
    {"depthwise",
     R"([{"kind": "conv2d", "filters": 6, "kernel": 3, "padding": "same", "activation": "relu"},
         {"kind": "depthwise_conv2d", "kernel": 3, "multiplier": 2, "padding": "same"},
         {"kind": "batch_norm"}, {"kind": "relu"},
         {"kind": "conv2d", "filters": 6, "kernel": 1, "activation": "relu"},
         {"kind": "flatten"}, {"kind": "dense", "units": 4}])",
     R"({"granularity": "filter", "sparsity": 0.5})"},
    {"neurons",
     R"([{"kind": "flatten"}, {"kind": "dense", "units": 20}, {"kind": "batch_norm"},
         {"kind": "relu"}, {"kind": "dense", "units": 12, "activation": "relu"},
         {"kind": "dense", "units": 4}])",
     R"({"granularity": "neuron", "sparsity": 0.5})"},
    {"channels that nobody reads",
     R"([{"kind": "conv2d", "filters": 8, "kernel": 3, "activation": "relu"},
         {"kind": "max_pool2d", "size": 2}, {"kind": "flatten"},
         {"kind": "dense", "units": 10, "activation": "relu"}, {"kind": "dense", "units": 4}])",
     R"({"granularity": "channel", "sparsity": 0.5})", true},
    {"a whole residual branch, down to a thread",
     R"([{"kind": "conv2d", "name": "stem", "filters": 8, "kernel": 3, "padding": "same"},
         {"kind": "relu", "name": "r"},
         {"kind": "conv2d", "filters": 5, "kernel": 3, "padding": "same", "activation": "relu"},
         {"kind": "conv2d", "name": "end", "filters": 8, "kernel": 3, "padding": "same"},
         {"kind": "add", "inputs": ["r", "end"]}, {"kind": "relu"}, {"kind": "flatten"},
         {"kind": "dense", "units": 4}])",
     R"({"granularity": "residual_block", "sparsity": 1})"}};

// Standard normal values.
inline Tensor normal_images(const Shape& shape) {
  Tensor images = Tensor::persistent(shape);
  Random random(11, Stream::test);
  float* x = images.mutable_data();
  for (std::int64_t i = 0; i < images.size(); ++i) x[i] = static_cast<float>(random.normal());
  return images;
}
inline Tensor images_for(const Network& network, std::int64_t count) {
  return normal_images(network.shape_of(kInputNode).with_batch(count));
}

}  // namespace pare
