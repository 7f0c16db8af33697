// The search itself: a loop over folders, subfolders and files that remembers what was missing
// where.
#include "datasets/search.h"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

namespace pare {
namespace {

namespace fs = std::filesystem;

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string below(const std::string& folder, const std::string& name) {
  return name.empty() ? folder : folder + "/" + name;
}

std::optional<std::string> plain_or_gzip(const std::string& path) {
  if (exists(path)) return path;
  if (exists(path + ".gz")) return path + ".gz";
  return std::nullopt;
}

struct Attempt {
  std::vector<std::string> found;
  std::vector<std::string> missing;
};

Attempt look_in(const std::string& folder, std::span<const std::string> files) {
  Attempt attempt;
  for (const std::string& file : files) {
    if (auto path = plain_or_gzip(below(folder, file))) {
      attempt.found.push_back(*std::move(path));
    } else {
      attempt.missing.push_back(file);
    }
  }
  return attempt;
}

// "./data/mnist: no such folder"
std::string report(const std::string& folder, const Attempt& attempt) {
  if (!is_folder(folder)) return folder + ": no such folder";
  if (attempt.found.empty()) return folder + ": none of the files";
  std::string text = folder + ": incomplete, without";
  for (const std::string& file : attempt.missing) text += " " + file;
  return text;
}

}  // namespace

std::vector<DataFolder> data_folders(const std::string& data_dir, const Warn& warn) {
  std::vector<DataFolder> folders;
  const auto add_named = [&](const std::string& path, const std::string& name) {
    if (path.empty()) return;
    if (!is_folder(path)) warn(name + ": there is no folder '" + path + "'");
    folders.push_back({path, name});
  };
  add_named(data_dir, "--data-dir");
  const std::string listed = environment("PARE_DATA");
  for (std::size_t begin = 0; begin <= listed.size();) {
    const std::size_t end = std::min(listed.find(':', begin), listed.size());
    add_named(listed.substr(begin, end - begin), "$PARE_DATA");
    begin = end + 1;
  }
  folders.push_back({"./data", "./data"});
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty()) {
    folders.push_back({cache + "/pare", "$XDG_CACHE_HOME/pare"});
  } else if (const std::string home = environment("HOME"); !home.empty()) {
    folders.push_back({home + "/.cache/pare", "~/.cache/pare"});
  }
  return folders;
}

FoundFiles find_files(std::span<const DataFolder> folders, std::span<const std::string> subfolders,
                      std::span<const std::string> files, const std::string& what,
                      const std::string& advice) {
  std::string message = what + " not found. Looked for " + files.front();
  if (files.size() > 1) message += " and " + std::to_string(files.size() - 1) + " more";
  message += " (plain or .gz) in";
  for (const DataFolder& folder : folders) {
    for (const std::string& subfolder : subfolders) {
      const std::string place = below(folder.path, subfolder);
      Attempt attempt = look_in(place, files);
      if (attempt.missing.empty()) return {std::move(attempt.found), below(folder.name, subfolder)};
      message += "\n  " + report(place, attempt);
    }
  }
  throw DataNotFound(message + "\n" + advice);
}

std::string find_named_file(std::span<const DataFolder> folders, const std::string& path) {
  if (auto found = plain_or_gzip(path)) return *found;
  std::string message = "'" + path + "' not found, nor in";
  for (const DataFolder& folder : folders) {
    if (auto found = plain_or_gzip(below(folder.path, path))) return *found;
    message += " " + folder.path;
  }
  throw DataNotFound(message + "; relative paths start at the current folder");
}

}  // namespace pare
