// Weights from other files give the network that they were saved from: a checkpoint's, one in
// safetensors, and Keras's, whose forward pass is written out here in Keras's own layouts.
#include "apps/lib/init_from.h"

#include <doctest/doctest.h>

#include <cmath>

#include "apps/lib/checkpoint.h"
#include "apps/lib/keras_weights.h"
#include "framework/base/file.h"
#include "framework/config/config.h"
#include "framework/io/safetensors.h"
#include "framework/random.h"
#include "layers/model_config.h"
#include "tests/apps/tiny_trainer.h"
#include "tests/io/keras_writer.h"

using namespace pare;

namespace {

Network network_from(const std::string& nodes, const Shape& input) {
  Network network = network_from_json(nlohmann::ordered_json::parse(nodes), input);
  network.initialize(3);
  return network;
}

std::vector<float> logits(Network& network, const Tensor& images) {
  const Variable y = network.forward(Variable(images), Pass::begin(Pass::Mode::evaluate, 1, 0));
  std::vector<float> values(y.value().values().begin(), y.value().values().end());
  network.release();
  return values;
}

Tensor random_images(const Shape& shape, std::uint64_t seed) {
  Random random(seed, Stream::test);
  Tensor images = Tensor::persistent(shape);
  std::generate_n(images.mutable_data(), images.size(), [&] { return random.uniform(0.0f, 1.0f); });
  return images;
}

KerasArray random_array(const std::string& name, std::vector<std::int64_t> shape, Random& random) {
  KerasArray array{.name = name, .shape = std::move(shape), .values = {}};
  std::int64_t size = 1;
  for (const std::int64_t extent : array.shape) size *= extent;
  for (std::int64_t i = 0; i < size; ++i) array.values.push_back(random.uniform(-0.2f, 0.2f));
  return array;
}

// An image [height, width, channels] of doubles.
struct Image {
  std::int64_t height, width, channels;
  std::vector<double> values;
  double& at(std::int64_t y, std::int64_t x, std::int64_t c) {
    return values[static_cast<std::size_t>((y * width + x) * channels + c)];
  }
};

Image blank(std::int64_t height, std::int64_t width, std::int64_t channels) {
  return {height, width, channels,
          std::vector<double>(static_cast<std::size_t>(height * width * channels), 0)};
}

// Conv2D of Keras: kernel [kh, kw, in, out], valid, stride 1.
Image keras_conv(Image x, const KerasLayer& layer) {
  const auto& k = layer.arrays[0];
  Image y = blank(x.height - k.shape[0] + 1, x.width - k.shape[1] + 1, k.shape[3]);
  for (std::int64_t i = 0; i < y.height; ++i) {
    for (std::int64_t j = 0; j < y.width; ++j) {
      for (std::int64_t o = 0; o < y.channels; ++o) {
        double sum = layer.arrays[1].values[static_cast<std::size_t>(o)];
        for (std::int64_t a = 0; a < k.shape[0]; ++a) {
          for (std::int64_t b = 0; b < k.shape[1]; ++b) {
            for (std::int64_t c = 0; c < x.channels; ++c) {
              const auto at = ((a * k.shape[1] + b) * k.shape[2] + c) * k.shape[3] + o;
              sum += x.at(i + a, j + b, c) * k.values[static_cast<std::size_t>(at)];
            }
          }
        }
        y.at(i, j, o) = sum;
      }
    }
  }
  return y;
}

// DepthwiseConv2D of Keras: kernel [kh, kw, in, multiplier], valid; output channel in * multiplier.
Image keras_depthwise(Image x, const KerasLayer& layer) {
  const auto& k = layer.arrays[0];
  const std::int64_t multiplier = k.shape[3];
  Image y = blank(x.height - k.shape[0] + 1, x.width - k.shape[1] + 1, x.channels * multiplier);
  for (std::int64_t i = 0; i < y.height; ++i) {
    for (std::int64_t j = 0; j < y.width; ++j) {
      for (std::int64_t o = 0; o < y.channels; ++o) {
        double sum = layer.arrays[1].values[static_cast<std::size_t>(o)];
        for (std::int64_t a = 0; a < k.shape[0]; ++a) {
          for (std::int64_t b = 0; b < k.shape[1]; ++b) {
            const std::int64_t c = o / multiplier;
            const auto at = ((a * k.shape[1] + b) * k.shape[2] + c) * multiplier + o % multiplier;
            sum += x.at(i + a, j + b, c) * k.values[static_cast<std::size_t>(at)];
          }
        }
        y.at(i, j, o) = sum;
      }
    }
  }
  return y;
}

// BatchNormalization of Keras: gamma, beta, moving mean, moving variance; epsilon 0.001.
Image keras_batch_norm(Image x, const KerasLayer& layer) {
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    const std::size_t c = i % static_cast<std::size_t>(x.channels);
    const auto value = [&](std::size_t which) -> double { return layer.arrays[which].values[c]; };
    x.values[i] = value(0) * (x.values[i] - value(2)) / std::sqrt(value(3) + 0.001) + value(1);
  }
  return x;
}

Image relu(Image x) {
  for (double& value : x.values) value = std::max(0.0, value);
  return x;
}

Image max_pool(Image x) {
  Image y = blank(x.height / 2, x.width / 2, x.channels);
  for (std::int64_t i = 0; i < y.height; ++i) {
    for (std::int64_t j = 0; j < y.width; ++j) {
      for (std::int64_t c = 0; c < y.channels; ++c) {
        y.at(i, j, c) = std::max({x.at(2 * i, 2 * j, c), x.at(2 * i, 2 * j + 1, c),
                                  x.at(2 * i + 1, 2 * j, c), x.at(2 * i + 1, 2 * j + 1, c)});
      }
    }
  }
  return y;
}

// Flatten and Dense of Keras: kernel [in, out].
Image keras_dense(const Image& x, const KerasLayer& layer) {
  const auto& k = layer.arrays[0];
  Image y = blank(1, 1, k.shape[1]);
  for (std::int64_t o = 0; o < k.shape[1]; ++o) {
    double sum = layer.arrays[1].values[static_cast<std::size_t>(o)];
    for (std::int64_t i = 0; i < k.shape[0]; ++i) {
      sum += x.values[static_cast<std::size_t>(i)] *
             k.values[static_cast<std::size_t>(i * k.shape[1] + o)];
    }
    y.values[static_cast<std::size_t>(o)] = sum;
  }
  return y;
}

Image image_of(const Tensor& images, std::int64_t index) {
  Image x = blank(images.shape()[1], images.shape()[2], images.shape()[3]);
  const auto size = static_cast<std::int64_t>(x.values.size());
  std::copy_n(images.data() + index * size, size, x.values.begin());
  return x;
}

// The largest difference between our logits and those of a scalar Keras network.
template <class Forward>
double largest_difference(Network& network, const Tensor& images, const Forward& keras) {
  const std::vector<float> ours = logits(network, images);
  double largest = 0;
  for (std::int64_t n = 0; n < images.shape()[0]; ++n) {
    const Image theirs = keras(image_of(images, n));
    for (std::size_t c = 0; c < theirs.values.size(); ++c) {
      const double difference =
          ours[static_cast<std::size_t>(n) * theirs.values.size() + c] - theirs.values[c];
      largest = std::max(largest, std::abs(difference));
    }
  }
  return largest;
}

std::string write(const TemporaryFolder& folder, const std::string& name,
                  const std::vector<std::byte>& bytes) {
  write_file_atomically(folder.file(name), bytes);
  return folder.file(name);
}

constexpr const char* kDocumentCnn = R"([
  {"kind": "conv2d", "name": "conv", "filters": 32, "kernel": 3, "activation": "relu"},
  {"kind": "max_pool2d", "size": 2}, {"kind": "flatten"},
  {"kind": "dense", "name": "hidden", "units": 128, "activation": "relu"},
  {"kind": "dense", "name": "last", "units": 10}])";

std::vector<KerasLayer> document_layers() {
  Random random(5, Stream::test);
  return {{.name = "conv2d",
           .arrays = {random_array("conv2d/kernel:0", {3, 3, 1, 32}, random),
                      random_array("conv2d/bias:0", {32}, random)}},
          {.name = "max_pooling2d", .arrays = {}},
          {.name = "flatten", .arrays = {}},
          {.name = "dense",
           .arrays = {random_array("dense/kernel:0", {5408, 128}, random),
                      random_array("dense/bias:0", {128}, random)}},
          {.name = "dense_1",
           .arrays = {random_array("dense_1/kernel:0", {128, 10}, random),
                      random_array("dense_1/bias:0", {10}, random)}}};
}

Image document_forward(const std::vector<KerasLayer>& layers, const Image& x) {
  return keras_dense(relu(keras_dense(max_pool(relu(keras_conv(x, layers[0]))), layers[3])),
                     layers[4]);
}

}  // namespace

TEST_CASE("Keras's weights of the document's CNN give Keras's logits, from every layout") {
  const TemporaryFolder folder;
  const std::vector<KerasLayer> layers = document_layers();
  const Tensor images = random_images({4, 28, 28, 1}, 7);
  for (const KerasLayout layout :
       {KerasLayout::model, KerasLayout::save_weights, KerasLayout::weights_h5}) {
    Network network = network_from(kDocumentCnn, {28, 28, 1});
    const auto forward = [&](const Image& x) { return document_forward(layers, x); };
    CHECK(largest_difference(network, images, forward) > 0.1);  // before, they are others
    const InitialWeights initial =
        init_from(network, write(folder, "k.h5", write_keras(layers, layout)));
    CHECK(initial.format == "a Keras file");
    CHECK(initial.taken == network.parameter_count());
    CHECK(largest_difference(network, images, forward) < 1e-5);
  }
}

TEST_CASE("Keras's depthwise convolution and batch normalisation too") {
  Random random(6, Stream::test);
  std::vector<KerasLayer> layers = {
      {.name = "depthwise_conv2d",
       .arrays = {random_array("k", {3, 3, 2, 3}, random), random_array("b", {6}, random)}},
      {.name = "batch_normalization",
       .arrays = {random_array("gamma", {6}, random), random_array("beta", {6}, random),
                  random_array("mean", {6}, random), random_array("variance", {6}, random)}},
      {.name = "dense",
       .arrays = {random_array("k", {54, 4}, random), random_array("b", {4}, random)}}};
  for (float& variance : layers[1].arrays[3].values) variance = std::abs(variance) + 0.1f;
  Network network = network_from(R"([
    {"kind": "depthwise_conv2d", "kernel": 3, "multiplier": 3, "bias": true},
    {"kind": "batch_norm", "epsilon": 0.001}, {"kind": "flatten"}, {"kind": "dense", "units": 4}])",
                                 {5, 5, 2});
  const TemporaryFolder folder;
  init_from(network, write(folder, "k.h5", write_keras(layers, KerasLayout::weights_h5)));
  const auto forward = [&](const Image& x) {
    return keras_dense(keras_batch_norm(keras_depthwise(x, layers[0]), layers[1]), layers[2]);
  };
  CHECK(largest_difference(network, random_images({3, 5, 5, 2}, 8), forward) < 1e-5);
}

TEST_CASE("a Keras file of another network is refused: which layer, expected and got") {
  const TemporaryFolder folder;
  const auto fault = [&](const std::vector<KerasLayer>& layers, KerasLayout layout) {
    Network network = network_from(kDocumentCnn, {28, 28, 1});
    const std::string path = write(folder, "k.h5", write_keras(layers, layout));
    return error_of([&] { init_from(network, path); }).substr(folder.path().size() + 1);
  };
  std::vector<KerasLayer> layers = document_layers();
  layers[0].arrays[0].shape = {3, 3, 2, 16};
  CHECK(
      fault(layers, KerasLayout::model) ==
      "k.h5: layer 'conv2d' (for node 'conv', a conv2d): expected a kernel of shape [3, 3, 1, 32], "
      "got [3, 3, 2, 16]");
  layers = document_layers();
  layers[4].arrays.pop_back();
  CHECK(fault(layers, KerasLayout::model) ==
        "k.h5: layer 'dense_1' (for node 'last', a dense): expected kernel and bias, got 1 arrays");
  layers.pop_back();
  CHECK(fault(layers, KerasLayout::save_weights) ==
        "k.h5: holds 2 layers with weights, the network has 3");
  layers = document_layers();
  layers[4].name = "dense_2";
  CHECK(fault(layers, KerasLayout::weights_h5) == "k.h5: holds no layer 'dense_1' for node 'last'");
  layers = document_layers();
  layers[0].arrays[0].values[3] = std::numeric_limits<float>::quiet_NaN();
  CHECK(fault(layers, KerasLayout::model) ==
        "k.h5: 'conv.weight' holds a number that is not finite");
}

TEST_CASE("a checkpoint gives its weights: pruned ones as zeros, without masks and quantizers") {
  TinyRun run(tiny_config({}));
  run.train();
  const TemporaryFolder folder;
  Network network = build_network(tiny_config({}).model, {28, 28, 1}, 10);
  network.initialize(9);
  const InitialWeights initial = init_from(network, run.last());
  CHECK(initial.format == "a checkpoint");
  CHECK(initial.hash == hash_of_file(run.last()));
  std::int64_t zeros = 0, all = 0;
  for (const Parameter* parameter : network.parameters()) {
    CHECK(parameter->chain().empty());
    if (parameter->role() != "weight") continue;
    all += parameter->shape().size();
    zeros +=
        std::count(parameter->latent().values().begin(), parameter->latent().values().end(), 0);
  }
  CHECK(static_cast<double>(zeros) / static_cast<double>(all) ==
        doctest::Approx(0.75).epsilon(0.01));

  Network other = network_from(kDocumentCnn, {28, 28, 1});
  const std::string fault = error_of([&] { init_from(other, run.last()); });
  CHECK(contains(fault, "holds no 'conv.bias'"));
}

TEST_CASE("a safetensors file with our names and layouts is taken; others are explained") {
  const TemporaryFolder folder;
  Network network =
      network_from(R"([{"kind": "conv2d", "name": "c", "filters": 2, "kernel": [1, 3]},
    {"kind": "flatten"}, {"kind": "dense", "name": "d", "units": 2, "bias": false}])",
                   {1, 4, 3});
  const auto array = [](const std::string& name, std::vector<std::int64_t> shape) {
    std::int64_t size = 4;
    for (const std::int64_t extent : shape) size *= extent;
    return NamedArray{name, ElementType::float32, std::move(shape),
                      std::vector<std::byte>(static_cast<std::size_t>(size))};
  };
  const auto fault = [&](std::vector<NamedArray> arrays) {
    const std::string path =
        write(folder, "w.safetensors", encode_safetensors({{}, std::move(arrays)}));
    return error_of([&] { init_from(network, path); });
  };
  const NamedArray weight = array("c.weight", {2, 1, 3, 3}), bias = array("c.bias", {2}),
                   dense = array("d.weight", {2, 4});
  CHECK(fault({weight, bias, dense}) == "(no error)");
  CHECK(contains(fault({weight, dense}), "holds no 'c.bias'; it holds c.weight, d.weight"));
  CHECK(contains(fault({weight, bias, dense, array("e", {1})}),
                 "holds 'e', which the network has not"));
  CHECK(
      contains(fault({array("c.weight", {2, 3, 1, 3}), bias, dense}),
               "expected the shape [2, 1, 3, 3], got [2, 3, 1, 3]; it looks like PyTorch's order"));
  write_file_atomically(folder.file("x"), std::string_view("something else"));
  CHECK(contains(error_of([&] { init_from(network, folder.file("x")); }), "it is none of them"));
}

TEST_CASE("a run that begins with weights from a file trains from them, and resumes without it") {
  TinyRun before(tiny_config({}));
  before.train();
  const RunConfig run = tiny_config({"phases[0].apply=[\"int8\"]", "phases[2].apply=[]"});
  TinyRun whole(run);
  whole.trainer().init_from(before.last());
  const TinyRun::End end = whole.end();
  CHECK(whole.trainer().state().float_accuracy.has_value());  // of the loaded network
  CHECK(whole.trainer().state().init_hash == hash_of_file(before.last()));
  CHECK_FALSE((TinyRun(run).end() == end));

  TinyRun stopped(run, 13);
  stopped.trainer().init_from(before.last());
  CHECK_THROWS_AS(stopped.train(), Stopped);
  TinyRun resumed(run);
  resumed.resume(stopped);
  CHECK((resumed.end() == end));
}
