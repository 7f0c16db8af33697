#include "apps/bench/peers.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "framework/base/error.h"

namespace pare::bench {
namespace {

namespace fs = std::filesystem;

std::string find_in(const fs::path& folder, const std::string& prefix) {
  std::error_code failed;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(folder, options, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (at->path().filename().string().starts_with(prefix)) return at->path().string();
  }
  return "";
}

}  // namespace

std::vector<std::string> peer_folders() {
  const char* folders = std::getenv("PARE_PEERS");
  std::istringstream list(folders == nullptr ? "" : folders);
  std::vector<std::string> found;
  for (std::string folder; std::getline(list, folder, ':');) {
    if (!folder.empty()) found.push_back(folder);
  }
  return found;
}

std::string find_peer_file(const std::string& prefix) {
  for (const std::string& folder : peer_folders()) {
    const std::string found = find_in(folder, prefix);
    if (!found.empty()) return found;
  }
  return "";
}

std::string onnx_model(const PeerJob& job) {
  const std::string name = job.net + "_" + job.precision + ".onnx";
  const std::string path = find_peer_file(name);
  if (path.empty()) throw FailedError("no " + name + " in $PARE_PEERS");
  return path;
}

std::vector<Contender> peers(const std::string& net, std::int64_t batch, std::int64_t values,
                             int threads, const std::function<void(const std::string&)>& note) {
  struct Engine {
    const char* name;
    Contender (*make)(const PeerJob&);
  };
  constexpr Engine kEngines[] = {
      {"onnxruntime", onnxruntime_peer}, {"openvino", openvino_peer}, {"litert", litert_peer}};
  std::vector<Contender> found;
  for (const Engine& engine : kEngines) {
    for (const std::string precision : {"int8", "fp32"}) {
      const std::string name = std::string(engine.name) + " " + precision;
      try {
        found.push_back(engine.make({net, precision, batch, values, threads}));
        found.back().name = name;
      } catch (const Error& error) {
        note(name + ": " + error.what());
      }
    }
  }
  return found;
}

}  // namespace pare::bench
