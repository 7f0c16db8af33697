// The rows and their loading functions: MNIST's relatives share one, `idx` adds the user's own
// paths, `digits` draws.
#include "datasets/kinds.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "datasets/config.h"
#include "datasets/digits.h"
#include "datasets/idx.h"
#include "framework/base/error.h"
#include "framework/base/hash.h"

namespace pare {
namespace {

const std::array<std::string, 4> kCustomaryNames = {
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte"};

struct IdxPaths {
  std::string train_images, train_labels, test_images, test_labels;
};

LoadedFiles load_pairs(const IdxPaths& paths, int classes) {
  LoadedFiles files;
  files.train = read_idx_images(paths.train_images, paths.train_labels, classes);
  files.test = read_idx_images(paths.test_images, paths.test_labels, classes);
  if (files.train.shape != files.test.shape) {
    throw DataError(paths.test_images + ": expected images of " + files.train.shape.to_string() +
                    " as in " + paths.train_images + ", got " + files.test.shape.to_string());
  }
  files.classes = classes;
  return files;
}

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

LoadedFiles load_mnist_like(const LoadRequest& request) {
  const std::string& name = request.kind.name;
  const std::array<std::string, 3> subfolders = {name, request.kind.torchvision, ""};
  const FoundFiles found =
      find_files(request.folders, subfolders, kCustomaryNames, "data set '" + name + "'",
                 "Put the four files into ./data/" + name +
                     ", or set PARE_DATA to the folder that holds " + name + "/.");
  LoadedFiles files =
      load_pairs({found.paths[0], found.paths[1], found.paths[2], found.paths[3]}, 10);
  if (files.train.shape != Shape{28, 28, 1}) {
    throw DataError(found.paths[0] + ": expected images of [28, 28, 1], got " +
                    files.train.shape.to_string());
  }
  if (name != "mnist") refuse_mnist(files.test, name, found.paths[3]);
  files.source = found.source;
  return files;
}

// The user's `folder` as it stands, or below one of the data folders.
FoundFiles find_idx_folder(const LoadRequest& request, const std::string& folder) {
  std::vector<DataFolder> places = {{folder, folder}};
  if (!folder.starts_with('/')) {
    for (const DataFolder& f : request.folders)
      places.push_back({f.path + "/" + folder, f.name + "/" + folder});
  }
  const std::array<std::string, 1> itself = {""};
  return find_files(
      places, itself, kCustomaryNames, "data set 'idx'",
      "Relative folders start at the current one; dataset.folder says '" + folder + "'.");
}

int classes_of(const LoadedFiles& files) {
  std::int32_t largest = 0;
  for (const Images* split : {&files.train, &files.test}) {
    largest = std::max(largest, *std::max_element(split->labels.begin(), split->labels.end()));
  }
  return largest + 1;
}

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

LoadedFiles load_idx(const LoadRequest& request) {
  const DatasetConfig& config = request.config;
  LoadedFiles files;
  if (config.folder) {
    const FoundFiles found = find_idx_folder(request, *config.folder);
    files = load_pairs({found.paths[0], found.paths[1], found.paths[2], found.paths[3]}, 0);
    files.source = found.source.starts_with('/') ? file_name(found.source) : found.source;
  } else {
    const auto find = [&](const std::string& path) {
      return find_named_file(request.folders, path);
    };
    files = load_pairs({find(config.train->images), find(config.train->labels),
                        find(config.test->images), find(config.test->labels)},
                       0);
    files.source = file_name(config.train->images) + ", " + file_name(config.test->images);
  }
  files.classes = classes_of(files);
  return files;
}

LoadedFiles load_digits(const LoadRequest& request) {
  LoadedFiles files;
  files.train = make_digits(request.seed, DigitsSplit::train, kDigitsTrain);
  files.test = make_digits(request.seed, DigitsSplit::test, kDigitsTest);
  files.classes = 10;
  files.source = "drawn from seed " + std::to_string(request.seed);
  return files;
}

// Means and deviations: those in common use for MNIST and its relatives; for digits measured on the
// training images of seed 1.
const std::array<DatasetKind, 5> kKinds = {{
    {"mnist", "MNIST/raw", {0.1307f}, {0.3081f}, load_mnist_like},
    {"fashion_mnist", "FashionMNIST/raw", {0.2860f}, {0.3530f}, load_mnist_like},
    {"kmnist", "KMNIST/raw", {0.1918f}, {0.3483f}, load_mnist_like},
    {"digits", "", {0.1133f}, {0.2410f}, load_digits},
    {"idx", "", {}, {}, load_idx},
}};

}  // namespace

std::span<const DatasetKind> dataset_kinds() { return kKinds; }

const DatasetKind& dataset_kind(const std::string& name) {
  const auto row = std::find_if(kKinds.begin(), kKinds.end(),
                                [&](const DatasetKind& k) { return k.name == name; });
  PARE_ENSURE(row != kKinds.end());
  return *row;
}

}  // namespace pare
