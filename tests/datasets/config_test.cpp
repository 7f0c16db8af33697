// The "dataset" section: defaults, every spelling, every rule.
#include "datasets/config.h"

#include <doctest/doctest.h>

#include "framework/config/config.h"
#include "tests/datasets/files.h"

namespace pare {
namespace {

DatasetConfig read(const std::string& text) {
  return config::read<DatasetConfig>(config::load_text(text, "x.json"));
}
std::string error_of(const std::string& text) {
  return test::message_of([&] { read(text); });
}

TEST_CASE("the defaults are those of the contract") {
  const DatasetConfig c = read("{}");
  CHECK(c.kind == "mnist");
  CHECK_FALSE(c.fallback);
  CHECK(c.batch_size == 64);
  CHECK(c.validation == 0);
  CHECK_FALSE(c.limit);
  CHECK(c.augment.empty());
  CHECK(c.normalize.source == Normalize::Source::by_dataset);
}

TEST_CASE("a full section is read, and written back the same") {
  const std::string text =
      R"({"kind": "fashion_mnist", "fallback": "digits", "batch_size": 128, "validation": 0.1,
    "limit": 1000, "augment": [{"kind": "shift", "pixels": 3}, {"kind": "rotate", "degrees": 7.5}],
    "normalize": {"mean": [0.25], "std": [0.5]}})";
  const DatasetConfig c = read(text);
  CHECK(c.fallback == "digits");
  CHECK(c.limit == 1000);
  REQUIRE(c.augment.size() == 2);
  CHECK(c.augment[0].pixels == 3);
  CHECK(c.augment[1].degrees == 7.5);
  CHECK(c.normalize.source == Normalize::Source::given);
  CHECK(c.normalize.mean == std::vector<double>{0.25});
  CHECK(c.normalize.std_dev == std::vector<double>{0.5});
  const config::Json written = config::write(c);
  CHECK(config::write(read(written.dump())) == written);
}

TEST_CASE("normalize has three spellings") {
  CHECK(read(R"({"normalize": "none"})").normalize.source == Normalize::Source::none);
  CHECK(read(R"({"normalize": "default"})").normalize.source == Normalize::Source::by_dataset);
  CHECK(config::write(read(R"({"normalize": "none"})"))["normalize"] == "none");
  CHECK(config::write(read("{}"))["normalize"] == "default");
  CHECK(test::contains(error_of(R"({"normalize": "nine"})"), "normalize"));
  CHECK(test::contains(error_of(R"({"normalize": 3})"), "\"default\", \"none\" or an object"));
  CHECK(test::contains(error_of(R"({"normalize": {"mean": [1, 2], "std": [1]}})"),
                       "as many values as 'mean'"));
  CHECK(test::contains(error_of(R"({"normalize": {"mean": [1], "std": [0]}})"), "std[0]"));
  CHECK(error_of(R"({"normalize": {"mean": [1]}})") != "");
}

TEST_CASE("an idx data set needs a folder or both pairs of files") {
  CHECK(error_of(R"({"kind": "idx", "folder": "x"})") == "");
  const std::string pairs =
      R"("train": {"images": "a", "labels": "b"}, "test": {"images": "c", "labels": "d"})";
  CHECK(error_of(R"({"kind": "idx", )" + pairs + "}") == "");
  CHECK(test::contains(error_of(R"({"kind": "idx"})"), "either 'folder' or both"));
  CHECK(error_of(R"({"kind": "idx", "folder": "x", )" + pairs + "}") != "");
  CHECK(test::contains(
      error_of(R"({"kind": "idx", "folder": "x", "test": {"images": "c", "labels": "d"}})"),
      "got both"));
  CHECK(
      error_of(
          R"({"kind": "idx", "train": {"images": "a"}, "test": {"images": "c", "labels": "d"}})") !=
      "");
  CHECK(error_of(R"({"kind": "mnist", "folder": "x"})") != "");
}

TEST_CASE("an npy data set has the keys of an idx one") {
  CHECK(error_of(R"({"kind": "npy", "folder": "x"})") == "");
  CHECK(test::contains(error_of(R"({"kind": "npy"})"), "an npy data set needs either 'folder'"));
  CHECK(error_of(R"({"kind": "npy", "folder": "x", "train": {"images": "a", "labels": "b"}})") !=
        "");
  CHECK(error_of(R"({"kind": "cifar10", "folder": "x"})") != "");
  CHECK(test::contains(error_of(R"({"fallback": "npy"})"), "fallback"));
}

TEST_CASE("values out of range are refused where they stand") {
  CHECK(test::contains(error_of(R"({"batch_size": 0})"), "x.json:1:16: batch_size"));
  CHECK(test::contains(error_of(R"({"validation": -0.1})"), "validation"));
  CHECK(test::contains(error_of(R"({"validation": 2.5})"), "whole number of images"));
  CHECK(test::contains(error_of(R"({"limit": 0})"), "limit"));
  CHECK(test::contains(error_of(R"({"kind": "mnits"})"), "did you mean 'mnist'?"));
  CHECK(test::contains(error_of(R"({"fallback": "idx"})"), "fallback"));
  CHECK(test::contains(error_of(R"({"augment": [{"kind": "shift", "pixels": -1}]})"),
                       "augment[0].pixels"));
  CHECK(test::contains(error_of(R"({"augment": [{"pixels": 1}]})"), "augment[0]"));
}

TEST_CASE("documentation and schema can be made") {
  bool found = false;
  for (const config::Entry& entry : config::document<DatasetConfig>())
    found |= entry.path == "augment[].pixels";
  CHECK(found);
  CHECK(test::contains(config::schema<DatasetConfig>().dump(), "\"normalize\""));
}

}  // namespace
}  // namespace pare
