// An experiment from a text, over a base config in a temporary file.
#pragma once

#include <filesystem>
#include <string>

#include "apps/lib/experiment/plan.h"
#include "framework/base/error.h"
#include "framework/base/file.h"

namespace pare {

inline constexpr const char* kTinyBase = R"({
  "name": "tiny",
  "dataset": { "kind": "digits", "validation": 500 },
  "model": [{ "kind": "flatten" }, { "kind": "dense", "units": 10 }],
  "compression": {
    "prune": { "kind": "prune", "sparsity": 0.5 },
    "int8": { "kind": "quantize" }
  },
  "phases": [
    { "name": "dense", "epochs": 2 },
    { "name": "prune", "epochs": 1, "apply": ["prune"] },
    { "name": "quantize", "epochs": 0.5, "apply": ["int8"] }
  ]
})";

// Files in an empty folder that vanishes with the object.
class ExperimentFiles {
 public:
  explicit ExperimentFiles(const std::string& base = kTinyBase) {
    std::string name = (std::filesystem::temp_directory_path() / "pare-test-XXXXXX").string();
    if (!mkdtemp(name.data())) throw FailedError("no temporary folder");
    path_ = name;
    write("base.json", base);
  }
  ~ExperimentFiles() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ExperimentFiles(const ExperimentFiles&) = delete;
  ExperimentFiles& operator=(const ExperimentFiles&) = delete;

  std::string file(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(file(name)).parent_path());
    write_file_atomically(file(name), text);
  }

  // The keys of an experiment beside `base`.
  ExperimentConfig experiment(const std::string& keys) const {
    write("question.json", "{\"base\": \"base.json\", " + keys + "}");
    return load_experiment_config(file("question.json"));
  }
  Plan plan(const std::string& keys, const std::vector<std::string>& sets = {}) const {
    return make_plan(experiment(keys), sets, false);
  }
  // The message of the error that planning throws, without the folder, or "(no error)".
  std::string refused(const std::string& keys) const {
    try {
      plan(keys);
    } catch (const Error& error) {
      std::string message = error.what();
      for (std::size_t at; (at = message.find(path_ + "/")) != std::string::npos;)
        message.erase(at, path_.size() + 1);
      return message;
    }
    return "(no error)";
  }

 private:
  std::string path_;
};

}  // namespace pare
