// The table of data sets: one row per `dataset.kind`. A new kind is a loading function and a row.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/load.h"
#include "datasets/search.h"

namespace pare {

struct DatasetConfig;
struct DatasetKind;

// What a row's function hands back: both files of the data set as they are, before validation split
// and limit.
struct LoadedFiles {
  Images train, test;
  int classes = 0;
  std::string source;
};

struct LoadRequest {
  const DatasetKind& kind;
  const DatasetConfig& config;
  std::uint64_t seed;
  std::span<const DataFolder> folders;
  Enough enough;  // a kind that makes its images need not make those that will be cut off
};

struct DatasetKind {
  std::string name;
  std::string torchvision;         // its subfolder in torchvision's layout, or ""
  std::vector<std::string> files;  // those of a known set
  std::size_t test_files;          // its last ones: images and labels, or records of both
  std::vector<float> mean,
      std_dev;  // published values per channel; empty: measured on the training images
  LoadedFiles (*load)(const LoadRequest&);
};

std::span<const DatasetKind> dataset_kinds();
// Where the files of a known set may lie below a data folder.
std::vector<std::string> subfolders(const DatasetKind& kind);
// Throws std::logic_error for a name that is not in the table: configs were checked before.
const DatasetKind& dataset_kind(const std::string& name);

}  // namespace pare
