// The folder of an experiment beside its results: failures, what killed processes leave, and runs
// taken from elsewhere.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/lib/experiment/experiment_folder.h"
#include "apps/lib/run_folder.h"
#include "tests/experiment/helpers.h"

using namespace pare;

namespace {

namespace fs = std::filesystem;

constexpr const char* kDead = "99999999";  // more than Linux gives a process

}  // namespace

TEST_CASE("a failure has an exit code that is one") {
  const ExperimentFiles files;
  const ExperimentFolder folder(files.file("out"));
  const auto code_of = [&](const std::string& written) {
    files.write("out/runs/abc/failed.json", "{\"code\": " + written + ", \"message\": \"x\"}");
    return folder.failure("abc")->code;
  };
  CHECK(code_of("4") == 4);
  CHECK(code_of("255") == 255);
  for (const char* none : {"0", "-1", "256", "18446744073709551615", "1.5", "null", "\"4\""}) {
    CAPTURE(none);
    CHECK(code_of(none) == 1);
  }
}

TEST_CASE("a run that ends with 0 and without a result failed") {
  const ExperimentFiles files;
  const ExperimentFolder folder(files.file("out"));
  const Failure failure = folder.failure_of("abc", 0);
  CHECK(failure.code == 1);
  CHECK(failure.message == "it ended without a result");
  folder.record("abc", failure);  // which makes the run's folder
  CHECK(folder.failure("abc")->code == 1);
}

TEST_CASE("a failure's message is the last error of what the run said, however long that is") {
  const ExperimentFiles files;
  const ExperimentFolder folder(files.file("out"));
  files.write("out/runs/abc/stderr.txt",
              std::string(17 << 20, 'w') + "\nerror: here\nerror: it\n\n");
  CHECK(folder.failure_of("abc", 2).message == "error: it");
  fs::remove(folder.errors_of("abc"));
  fs::create_directory(folder.errors_of("abc"));  // which opens, and cannot be read
  CHECK(folder.failure_of("abc", 2).message == "it said nothing");
}

TEST_CASE("a run that begins has no temporary files of ours from processes that died") {
  const ExperimentFiles files;
  const ExperimentFolder folder(files.file("out"));
  const std::string running = std::to_string(getppid());
  const auto path = [](const std::string& name) { return "out/runs/abc/" + name; };
  for (const std::string& name :
       {".config.json.tmp." + running, ".failed.json.tmp." + running,
        ".config.json.tmp." + std::string(kDead), ".failed.json.tmp." + std::string(kDead),
        ".mine.json.tmp." + std::string(kDead)})
    files.write(path(name), "half");
  folder.prepare("abc", {{"seed", 1}});
  const auto there = [&](const std::string& name) { return fs::exists(files.file(path(name))); };
  CHECK_FALSE(there(".config.json.tmp." + std::string(kDead)));
  CHECK_FALSE(there(".failed.json.tmp." + std::string(kDead)));
  CHECK(there(".mine.json.tmp." + std::string(kDead)));
  CHECK(there(".config.json.tmp." + running));
  CHECK(there(".failed.json.tmp." + running));
}

TEST_CASE("a run that is finished or at work is not begun again") {
  using enum ExperimentFolder::Prepared;
  const ExperimentFiles files;
  const ExperimentFolder folder(files.file("out"));
  CHECK(folder.prepare("abc", {{"seed", 1}}) == ready);
  {
    const RunFolder::Lock lock(folder.run("abc"));
    CHECK(folder.prepare("abc", {{"seed", 2}}) == at_work);
  }
  files.write("out/runs/abc/result.json", "{}");
  CHECK(folder.prepare("abc", {{"seed", 2}}) == finished);
  CHECK(folder.is_finished("abc"));
  const std::vector<std::byte> config = read_file(folder.run("abc") + "/config.json", 1000);
  const char* text = reinterpret_cast<const char*>(config.data());
  CHECK(config::Json::parse(text, text + config.size()) == config::Json{{"seed", 1}});
  files.write("out/runs/abc/result.json", "{");  // damaged
  CHECK(folder.prepare("abc", {{"seed", 2}}) == ready);
  CHECK_FALSE(fs::exists(folder.run("abc") + "/result.json"));
}

TEST_CASE("shards share a folder with each other only") {
  const ExperimentFiles files;
  const ExperimentFolder folder(files.file("out"));
  {
    const ExperimentLock one(folder, "1-of-2");
    const ExperimentLock other(folder, "2-of-2");
    CHECK_THROWS_AS(ExperimentLock(folder, "2-of-2"), FailedError);
    CHECK_THROWS_AS(ExperimentLock(folder, ""), FailedError);
  }
  const ExperimentLock whole(folder, "");
  CHECK_THROWS_AS(ExperimentLock(folder, "1-of-2"), FailedError);
}

TEST_CASE("a run that is at work is not replaced by one from elsewhere") {
  const ExperimentFiles files;
  const ExperimentFolder here(files.file("here")), there(files.file("there"));
  files.write("there/runs/abc/result.json", "{}");
  files.write("here/runs/abc/checkpoints/last.h5", "mine");
  {
    const RunFolder::Lock lock(here.run("abc"));
    CHECK(here.adopt("abc", there).find("another process is writing it") != std::string::npos);
    CHECK(fs::exists(here.run("abc") + "/checkpoints/last.h5"));
    CHECK_FALSE(here.is_finished("abc"));
  }
  CHECK(here.adopt("abc", there).empty());
  CHECK(here.is_finished("abc"));
  CHECK_FALSE(fs::exists(here.run("abc") + "/checkpoints"));
}

TEST_CASE("links in a run from elsewhere are not followed") {
  const ExperimentFiles files;
  const ExperimentFolder here(files.file("here")), there(files.file("there"));
  files.write("secret/key", "mine");
  files.write("there/runs/abc/result.json", "{}");
  fs::create_symlink(files.file("secret/key"), there.run("abc") + "/key");
  fs::create_symlink(files.file("secret"), there.run("abc") + "/export");
  CHECK(here.adopt("abc", there).empty());
  CHECK(here.is_finished("abc"));
  CHECK_FALSE(fs::exists(here.run("abc") + "/key"));
  CHECK_FALSE(fs::exists(here.run("abc") + "/export"));

  files.write("secret/result.json", "{}");
  files.write("here/runs/def/config.json", "{}");
  fs::create_symlink(files.file("secret"), there.run("def"));
  CHECK(here.adopt("def", there) == "'" + there.run("def") + "' is a symbolic link");
  CHECK(fs::exists(here.run("def") + "/config.json"));
}
