// Every file of tests/config/bad is refused before training with exactly the message it expects.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "apps/lib/finish.h"
#include "apps/lib/phases.h"
#include "apps/lib/trainer.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = PARE_SOURCE_DIR "/tests/config/bad";

struct Case {
  std::string file;
  std::string expected;
  std::vector<std::string> sets;
};

Case read_case(const fs::path& path) {
  std::ifstream in(path);
  Case result{.file = path.filename().string(), .expected = "", .sets = {}};
  const std::string expect = "// expect: ", set = "// set: ";
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(expect)) result.expected = line.substr(expect.size());
    if (line.starts_with(set)) result.sets.push_back(line.substr(set.size()));
  }
  return result;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".json" || name.starts_with("base_")) continue;
    all.push_back(read_case(entry.path()));
  }
  std::sort(all.begin(), all.end(), [](const Case& a, const Case& b) { return a.file < b.file; });
  return all;
}

// Messages name files as they were given: relative to the folder.
class InFolder {
 public:
  explicit InFolder(const fs::path& folder) : before_(fs::current_path()) {
    fs::current_path(folder);
  }
  ~InFolder() { fs::current_path(before_); }

 private:
  fs::path before_;
};

void prepare(const Case& bad) {
  const RunConfig run = load_run_config(bad.file, bad.sets);
  const Dataset& data = tiny_digits();
  check_schedules(run, phase_spans(run, data.train.count()));
  rehearse(run, data);
  Trainer(run, data, {});
}

}  // namespace

TEST_CASE("every bad config is refused with the message that its file expects") {
  const InFolder here(kFolder);
  const std::vector<Case> all = cases();
  CHECK(all.size() >= 60);
  for (const Case& bad : all) {
    CAPTURE(bad.file);
    CHECK(error_of([&] { prepare(bad); }) == bad.expected);
  }
}

TEST_CASE("a file of 17 megabytes is refused before it is parsed") {
  const TemporaryFolder folder;
  const std::string path = folder.file("large.json");
  std::ofstream(path) << std::string(17 << 20, ' ') << "{}";
  CHECK(contains(error_of([&] { load_run_config(path); }), "large.json"));
  CHECK_FALSE(contains(error_of([&] { load_run_config(path); }), "expected a key"));
}
