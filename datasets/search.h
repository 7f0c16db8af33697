// Where data files are looked for: `--data-dir`, each folder of $PARE_DATA (separated by ':'),
// ./data, and $XDG_CACHE_HOME/pare or ~/.cache/pare.
//
// In each of them the files of one set must lie together: in one of the set's own subfolders, or
// flat; plain or .gz. Nothing is ever downloaded here.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "framework/base/error.h"

namespace pare {

using Warn = std::function<void(const std::string&)>;

// The data are nowhere: the only data error that a config's `fallback` answers. Damaged files are
// not "not found".
struct DataNotFound : DataError {
  using DataError::DataError;
};

struct DataFolder {
  std::string path;
  std::string name;  // for results, which hold no absolute path: "$PARE_DATA"
};

// In the order of search; `data_dir` may be empty. Folders that were named by the user but are
// missing are warned about.
std::vector<DataFolder> data_folders(const std::string& data_dir, const Warn& warn);

struct FoundFiles {
  std::vector<std::string> paths;  // one per wanted file
  std::string source;              // "$PARE_DATA/mnist"
};

// The first subfolder of the first folder that holds all `files` ("" is the folder itself); "x" is
// found as "x" or "x.gz". Throws DataNotFound, which begins with `what`, lists every place with
// what it lacks, and ends with `advice`.
FoundFiles find_files(std::span<const DataFolder> folders, std::span<const std::string> subfolders,
                      std::span<const std::string> files, const std::string& what,
                      const std::string& advice);

// A file that a config names: as it stands, or below one of the folders. Throws DataNotFound.
std::string find_named_file(std::span<const DataFolder> folders, const std::string& path);

}  // namespace pare
