// The rows and the loading functions of the known sets: MNIST's relatives share one, the two CIFARs
// another, `digits` draws.
#include "datasets/kinds.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "datasets/cifar.h"
#include "datasets/config.h"
#include "datasets/digits.h"
#include "datasets/idx.h"
#include "datasets/own_data.h"
#include "datasets/split.h"
#include "framework/base/error.h"
#include "framework/io/sha256.h"

namespace pare {
namespace {

// The relatives use MNIST's file names, so a flat folder could pass one off as another.
void refuse_mnist(const Images& test, const std::string& kind, const std::string& path) {
  std::vector<std::byte> labels;
  for (const std::int32_t label : test.labels) labels.push_back(static_cast<std::byte>(label));
  constexpr std::string_view kMnistTestLabels =
      "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5";
  if (hex(sha256(labels)) == kMnistTestLabels) {
    throw DataError(path + ": expected " + kind + ", got the labels of MNIST; put " + kind +
                    " into a folder of that name");
  }
}

FoundFiles find_known(const LoadRequest& request) {
  const DatasetKind& kind = request.kind;
  return find_files(request.folders, subfolders(kind), kind.files, "data set '" + kind.name + "'",
                    "To download it: ./pare fetch " + kind.name + ". Or put the " +
                        std::to_string(kind.files.size()) + " files into ./data/" + kind.name +
                        ", or set PARE_DATA to the folder that holds " + kind.name + "/.");
}

LoadedFiles load_mnist_like(const LoadRequest& request) {
  const FoundFiles found = find_known(request);
  const auto& paths = found.paths;
  LoadedFiles files;
  files.train = read_idx_images(paths[0], paths[1], 10);
  files.test = read_idx_images(paths[2], paths[3], 10);
  require_same_shape(files, paths[0], paths[2]);
  files.classes = 10;
  if (files.train.shape != Shape{28, 28, 1}) {
    throw DataError(paths[0] + ": expected images of [28, 28, 1], got " +
                    files.train.shape.to_string());
  }
  if (request.kind.name != "mnist") refuse_mnist(files.test, request.kind.name, paths[3]);
  files.source = found.source;
  return files;
}

LoadedFiles load_cifar(const LoadRequest& request, const CifarFormat& train,
                       const CifarFormat& test) {
  const FoundFiles found = find_known(request);
  const std::span<const std::string> paths = found.paths;
  LoadedFiles files;
  files.train = read_cifar(paths.first(paths.size() - request.kind.test_files), train);
  files.test = read_cifar(paths.last(request.kind.test_files), test);
  files.classes = train.classes;
  files.source = found.source;
  return files;
}

LoadedFiles load_cifar10(const LoadRequest& request) {
  constexpr CifarFormat kFormat = {.label_bytes = 1, .classes = 10, .most_records = 10'000};
  return load_cifar(request, kFormat, kFormat);
}

LoadedFiles load_cifar100(const LoadRequest& request) {
  return load_cifar(request, {.label_bytes = 2, .classes = 100, .most_records = 50'000},
                    {.label_bytes = 2, .classes = 100, .most_records = 10'000});
}

// Which of the digits the splits will hold once all but the first ones are cut off. Drawing all
// 70,000 takes longer than a smoke run.
std::vector<bool> needed_digits(const LoadRequest& request) {
  std::vector<std::int32_t> labels(kDigitsTrain);
  for (std::size_t i = 0; i < labels.size(); ++i)
    labels[i] = digit_label(static_cast<std::int64_t>(i));
  const std::vector<bool> validation =
      held_out(labels, validation_count(request.config.validation, kDigitsTrain), kDigitClasses,
               request.seed);
  std::int64_t train = request.enough.train, test = request.enough.test;
  std::vector<bool> needed(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) needed[i] = (validation[i] ? test : train)-- > 0;
  return needed;
}

LoadedFiles load_digits(const LoadRequest& request) {
  LoadedFiles files;
  files.train = make_digits(request.seed, DigitsSplit::train, needed_digits(request));
  files.test =
      make_digits(request.seed, DigitsSplit::test, std::min(kDigitsTest, request.enough.test));
  files.classes = kDigitClasses;
  files.source = "drawn from seed " + std::to_string(request.seed);
  return files;
}

const std::vector<std::string> kMnistFiles(std::begin(kIdxNames), std::end(kIdxNames));
const std::vector<std::string> kCifar10Files = {"data_batch_1.bin", "data_batch_2.bin",
                                                "data_batch_3.bin", "data_batch_4.bin",
                                                "data_batch_5.bin", "test_batch.bin"};
const std::vector<std::string> kCifar100Files = {"train.bin", "test.bin"};

// Means and deviations over all pixels of the training images: those in common use, which anybody
// who has the files can compute; for digits measured on the training images of seed 1.
const std::array<DatasetKind, 8> kKinds = {{
    {"mnist", "MNIST/raw", kMnistFiles, 2, {0.1307f}, {0.3081f}, load_mnist_like},
    {"fashion_mnist", "FashionMNIST/raw", kMnistFiles, 2, {0.2860f}, {0.3530f}, load_mnist_like},
    {"kmnist", "KMNIST/raw", kMnistFiles, 2, {0.1918f}, {0.3483f}, load_mnist_like},
    {"cifar10",
     "cifar-10-batches-bin",
     kCifar10Files,
     1,
     {0.4914f, 0.4822f, 0.4465f},
     {0.2470f, 0.2435f, 0.2616f},
     load_cifar10},
    {"cifar100",
     "cifar-100-binary",
     kCifar100Files,
     1,
     {0.5071f, 0.4865f, 0.4409f},
     {0.2673f, 0.2564f, 0.2762f},
     load_cifar100},
    {"digits", "", {}, 0, {0.1133f}, {0.2410f}, load_digits},
    {"idx", "", {}, 0, {}, {}, load_idx},
    {"npy", "", {}, 0, {}, {}, load_npy},
}};

}  // namespace

std::span<const DatasetKind> dataset_kinds() { return kKinds; }

std::vector<std::string> subfolders(const DatasetKind& kind) {
  return {kind.name, kind.torchvision, ""};
}

const DatasetKind& dataset_kind(const std::string& name) {
  const auto row = std::find_if(kKinds.begin(), kKinds.end(),
                                [&](const DatasetKind& k) { return k.name == name; });
  PARE_ENSURE(row != kKinds.end());
  return *row;
}

}  // namespace pare
