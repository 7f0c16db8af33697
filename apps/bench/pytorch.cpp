#include "apps/bench/pytorch.h"

#include <algorithm>
#include <filesystem>

#include "apps/bench/peers.h"

namespace pare::bench {
namespace {

namespace fs = std::filesystem;

// Whether a Python of this folder has PyTorch: a virtual environment, made by `python3 -m venv`.
bool has_pytorch(const fs::path& environment) {
  std::error_code failed;
  for (const auto& version : fs::directory_iterator(environment / "lib", failed)) {
    if (fs::exists(version.path() / "site-packages" / "torch")) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> pythons() {
  std::vector<fs::path> environments;
  for (const std::string& folder : peer_folders()) {
    environments.push_back(folder);
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
      environments.push_back(entry.path());
    }
  }
  std::sort(environments.begin(), environments.end());
  std::vector<std::string> found;
  for (const fs::path& environment : environments) {
    if (has_pytorch(environment)) found.push_back((environment / "bin" / "python3").string());
  }
  found.push_back("/usr/bin/python3");
  return found;
}

WorkerCommand pytorch(const std::string& python, const std::vector<std::string>& keys) {
  WorkerCommand command{{python, PARE_PEER_SCRIPT, "--serve"}};
  command.arguments.insert(command.arguments.end(), keys.begin(), keys.end());
  const char* kOpenMpBlas = "/usr/lib/x86_64-linux-gnu/openblas-openmp";
  if (fs::exists(kOpenMpBlas)) command.environment.emplace_back("LD_LIBRARY_PATH", kOpenMpBlas);
  if (__builtin_cpu_supports("avx512f")) {
    command.environment.emplace_back("ATEN_CPU_CAPABILITY", "avx512");
  }
  command.environment.emplace_back(
      "GLIBC_TUNABLES",
      "glibc.malloc.mmap_threshold=2147483648:glibc.malloc.trim_threshold=8589934592:"
      "glibc.malloc.hugetlb=1");
  return command;
}

}  // namespace pare::bench
