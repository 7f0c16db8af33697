#include "apps/lib/run_config.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "framework/base/file.h"
#include "framework/config/config.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

namespace {

std::string refused(std::initializer_list<std::string> sets) {
  return error_of([&] { tiny_config(sets); });
}

}  // namespace

TEST_CASE("a phase's optimizer and loss are the top-level ones with single keys changed") {
  const RunConfig run =
      tiny_config({"optimizer.beta1=0.8", "optimizer.weight_decay=0.01", "loss.label_smoothing=0.1",
                   "phases[1].optimizer.weight_decay=0"});
  CHECK(run.phases[0].optimizer.adam.beta1 == 0.8);
  CHECK(run.phases[1].optimizer.adam.beta1 == 0.8);
  CHECK(run.phases[1].optimizer.learning_rate.target() == 0.005);
  CHECK(run.phases[0].optimizer.regularization.weight_decay == 0.01);
  CHECK(run.phases[1].optimizer.regularization.weight_decay == 0);
  CHECK(run.phases[2].loss.label_smoothing == 0.1);
}

TEST_CASE("without phases there is one, with the top-level optimizer") {
  const auto text = R"({"model": [{"kind": "flatten"}, {"kind": "dense", "units": 10}],
                        "optimizer": {"kind": "sgd", "learning_rate": 0.5}})";
  const RunConfig run = config::read<RunConfig>(config::load_text(text, "x"));
  REQUIRE(run.phases.size() == 1);
  CHECK(run.phases[0].name == "train");
  CHECK(run.phases[0].epochs == 10.0);
  CHECK(run.phases[0].optimizer.kind == "sgd");
}

TEST_CASE("what is printed reads back as the same config") {
  const RunConfig run =
      tiny_config({"phases[2].steps=7", "phases[2].epochs=null", "phases[1].freeze=[\"conv.*\"]"});
  const config::Json json = config::write(run);
  const RunConfig again = config::read<RunConfig>(config::load_text(json.dump(), "printed"));
  CHECK(config::write(again) == json);
  CHECK(again.phases[2].steps == 7);
  CHECK(json["phases"][0].contains("optimizer") == false);  // it is the top-level one
}

TEST_CASE("names that no method has are refused where they stand, with the nearest one") {
  CHECK(refused({"phases[1].apply=[\"prun\"]"}) ==
        "--set phases[1].apply=[\"prun\"]: phases[1].apply[0]: expected a name from 'compression' "
        "(prune, int8), got "
        "'prun' (did you mean 'prune'?)");
  CHECK(contains(refused({"phases[1].release=[\"int8\"]"}),
                 "expected the name of a method that is on (none is)"));
}

TEST_CASE("a method cannot be applied twice, but again after its release") {
  CHECK(contains(refused({"phases[2].apply=[\"prune\"]"}), "'prune' is on already"));
  const RunConfig run =
      tiny_config({"phases[2].release=[\"prune\"]", "phases[2].apply=[\"prune\"]"});
  CHECK(run.final_methods() == std::vector<std::string>{"prune"});
}

TEST_CASE("the final methods are those applied and not released") {
  CHECK(tiny_config({}).final_methods() == std::vector<std::string>{"prune", "int8"});
  CHECK(tiny_config({"phases[2].release=[\"prune\"]"}).final_methods() ==
        std::vector<std::string>{"int8"});
}

TEST_CASE("a phase without updates must calibrate something, and cannot prune") {
  CHECK(
      contains(refused({"phases[0].epochs=0"}), "phases[0]: a phase of 0 epochs only calibrates"));
  CHECK(contains(refused({"phases[1].epochs=0"}), "has no updates in which to prune"));
  CHECK(tiny_config({"phases[2].epochs=0"}).phases[2].calibrates());
}

TEST_CASE("a phase has one length and a name of its own") {
  CHECK(contains(refused({"phases[0].steps=3"}), "expected either 'epochs' or 'steps'"));
  CHECK(contains(refused({"phases[0].epochs=null"}), "expected either 'epochs' or 'steps'"));
  CHECK(contains(refused({"phases[1].name=dense"}), "the name 'dense' is taken"));
  CHECK(contains(refused({"phases=[]"}), "expected at least one phase"));
}

TEST_CASE("a name that cannot be a folder is refused") {
  CHECK(contains(refused({"name=../x"}), "name: expected 1 to 100 letters"));
}

TEST_CASE(
    "a config is found in the folder of configs, and a missing one is said with the nearest name") {
  CHECK(std::filesystem::exists(find_config("document_cnn.json")));
  const std::string message = error_of([] { find_config("document_cn.json"); });
  CHECK(contains(message, "(did you mean 'document_cnn.json'?)"));
}

TEST_CASE("a config without a name is called after its file") {
  const TemporaryFolder folder;
  write_file_atomically(
      folder.file("my_net.json"),
      std::string_view(R"({"model": [{"kind": "flatten"}, {"kind": "dense", "units": 10}]})"));
  CHECK(load_run_config(folder.file("my_net.json")).name == "my_net");
}

TEST_CASE("every shipped config can be read, and the main job is self-contained") {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(PARE_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".json") continue;
    ++count;
    CAPTURE(entry.path().string());
    CHECK(error_of([&] { load_run_config(entry.path().string()); }) == "(no error)");
  }
  CHECK(count >= 3);
  const auto bytes = read_file(find_config(kDefaultConfig), 1 << 20);
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  CHECK_FALSE(contains(text, "_base_"));
  for (const char* key : {"batch_size", "validation", "normalize", "augment"})
    CHECK(contains(text, key));
}
