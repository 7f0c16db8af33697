// The order of search, the layouts, and what the error says when nothing is there.
#include "datasets/search.h"

#include <doctest/doctest.h>

#include "tests/datasets/files.h"

namespace pare {
namespace {

const std::vector<std::string> kFiles = {"a", "b"};
const std::vector<std::string> kSubfolders = {"kind", "Kind/raw", ""};

void no_warning(const std::string& text) { FAIL("unexpected warning: ", text); }

FoundFiles find(const std::string& data_dir = "") {
  return find_files(data_folders(data_dir, no_warning), kSubfolders, kFiles, "data set 'kind'",
                    "Try this.");
}

TEST_CASE("data are found in every layout, plain before compressed") {
  for (const std::string layout : {"kind/", "Kind/raw/", ""}) {
    CAPTURE(layout);
    const test::Nowhere here;
    here.folder.put("data/" + layout + "a", {1});
    here.folder.put("data/" + layout + "a.gz", {1});
    here.folder.put("data/" + layout + "b.gz", {1});
    const FoundFiles found = find();
    CHECK(found.paths ==
          std::vector<std::string>{"./data/" + layout + "a", "./data/" + layout + "b.gz"});
    CHECK(found.source + "/" == "./data/" + layout);
  }
}

TEST_CASE("--data-dir comes before $PARE_DATA, ./data and the cache") {
  const test::Nowhere here;
  const auto add = [&](const std::string& folder) {
    here.folder.put(folder + "/a", {1});
    here.folder.put(folder + "/b", {1});
  };
  add(".cache/pare/kind");
  CHECK(find().source == "~/.cache/pare/kind");
  add("data");
  CHECK(find().source == "./data");
  add("second/kind");
  here.folder.put("first/empty", {});
  const test::Environment listed("PARE_DATA",
                                 here.folder.path() + "/first:" + here.folder.path() + "/second");
  CHECK(find().source == "$PARE_DATA/kind");
  CHECK(find().paths[0] == here.folder.path() + "/second/kind/a");
  add("mine");
  CHECK(find(here.folder.path() + "/mine").source == "--data-dir");
}

TEST_CASE("files of one set are never taken from two places") {
  const test::Nowhere here;
  here.folder.put("data/kind/a", {1});
  here.folder.put("data/b", {1});
  CHECK_THROWS_AS(find(), DataNotFound);
}

TEST_CASE("a folder that is set but missing is a warning, an unset one is not") {
  const test::Nowhere here;
  const test::Environment listed("PARE_DATA", "/nonexistent/one");
  std::vector<std::string> warnings;
  data_folders("/nonexistent/two", [&](const std::string& text) { warnings.push_back(text); });
  CHECK(warnings == std::vector<std::string>{"--data-dir: there is no folder '/nonexistent/two'",
                                             "$PARE_DATA: there is no folder '/nonexistent/one'"});
}

TEST_CASE("the error lists every place with what it lacks") {
  const test::Nowhere here;
  here.folder.put("data/kind/a", {1});
  const std::string cache = here.folder.path() + "/.cache/pare";
  CHECK(test::message_of([&] { find(); }) ==
        "data set 'kind' not found. Looked for a and 1 more (plain or .gz) in\n"
        "  ./data/kind: incomplete, without b\n"
        "  ./data/Kind/raw: no such folder\n"
        "  ./data: none of the files\n"
        "  " +
            cache +
            "/kind: no such folder\n"
            "  " +
            cache +
            "/Kind/raw: no such folder\n"
            "  " +
            cache +
            ": no such folder\n"
            "Try this.");
}

TEST_CASE("a named file is looked up as it stands, then below the data folders") {
  const test::Nowhere here;
  here.folder.put("data/x.gz", {1});
  const auto folders = data_folders("", no_warning);
  CHECK(find_named_file(folders, "x") == "./data/x.gz");
  here.folder.put("x", {1});
  CHECK(find_named_file(folders, "x") == "x");
  CHECK(test::message_of([&] { find_named_file(folders, "y"); }) ==
        "'y' not found, nor in ./data " + here.folder.path() +
            "/.cache/pare; relative paths start at the current folder");
}

}  // namespace
}  // namespace pare
