// Finding comes first and is the same for both formats; reading is one function of two paths.
#include "datasets/own_data.h"

#include <algorithm>
#include <array>
#include <string>

#include "datasets/config.h"
#include "datasets/idx.h"
#include "datasets/labels.h"
#include "datasets/npy.h"
#include "framework/base/error.h"

namespace pare {
namespace {

struct Format {
  std::span<const char* const, 4> names;
  Images (*read)(const std::string& images, const std::string& labels);
};

Images read_idx_pair(const std::string& images, const std::string& labels) {
  return read_idx_images(images, labels, 0);
}

// The user's `folder` as it stands, or below one of the data folders.
FoundFiles find_folder(const LoadRequest& request, const Format& format) {
  const std::string& folder = *request.config.folder;
  std::vector<DataFolder> places = {{folder, folder}};
  if (!folder.starts_with('/')) {
    for (const DataFolder& f : request.folders)
      places.push_back({f.path + "/" + folder, f.name + "/" + folder});
  }
  const std::vector<std::string> names(format.names.begin(), format.names.end());
  const std::array<std::string, 1> itself = {""};
  return find_files(
      places, itself, names, "data set '" + request.kind.name + "'",
      "Relative folders start at the current one; dataset.folder says '" + folder + "'.");
}

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// No absolute path in results.
FoundFiles find_pairs(const LoadRequest& request) {
  const DatasetConfig& config = request.config;
  FoundFiles found;
  for (const std::string* path :
       {&config.train->images, &config.train->labels, &config.test->images, &config.test->labels}) {
    found.paths.push_back(find_named_file(request.folders, *path));
  }
  found.source = file_name(config.train->images) + ", " + file_name(config.test->images);
  return found;
}

LoadedFiles load(const LoadRequest& request, const Format& format) {
  const FoundFiles found =
      request.config.folder ? find_folder(request, format) : find_pairs(request);
  LoadedFiles files;
  files.train = format.read(found.paths[0], found.paths[1]);
  files.test = format.read(found.paths[2], found.paths[3]);
  require_same_shape(files, found.paths[0], found.paths[2]);
  files.classes = std::max(classes_of(files.train.labels), classes_of(files.test.labels));
  files.source = found.source.starts_with('/') ? file_name(found.source) : found.source;
  return files;
}

}  // namespace

void require_same_shape(const LoadedFiles& files, const std::string& train_images,
                        const std::string& test_images) {
  if (files.train.shape != files.test.shape) {
    throw DataError(test_images + ": expected images of " + files.train.shape.to_string() +
                    " as in " + train_images + ", got " + files.test.shape.to_string());
  }
  if (files.train.are_floats() != files.test.are_floats()) {
    throw DataError(test_images + ": expected the same type as in " + train_images +
                    ", got bytes beside floats");
  }
}

LoadedFiles load_idx(const LoadRequest& request) {
  return load(request, {kIdxNames, read_idx_pair});
}

LoadedFiles load_npy(const LoadRequest& request) {
  return load(request, {kNpyNames, read_npy_images});
}

}  // namespace pare
