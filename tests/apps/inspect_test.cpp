// What `inspect` finds, in files that a tiny run wrote.
#include <doctest/doctest.h>

#include <filesystem>

#include "apps/lib/inspect/difference.h"
#include "apps/lib/inspect/documents.h"
#include "apps/lib/inspect/inspect_run.h"
#include "apps/lib/inspect/table.h"
#include "apps/lib/inspect/techniques.h"
#include "apps/lib/inspect/text.h"
#include "compression/integer/model_file.h"
#include "framework/config/config.h"
#include "framework/io/safetensors.h"
#include "tests/apps/tiny_trainer.h"

using namespace pare;
using config::Json;

namespace {

// A run's files, written once.
class TinyFiles {
 public:
  TinyFiles() : run_(tiny_config({})) {
    run_.train();
    const RunConfig config = tiny_config({});
    const Outcome outcome = finish(run_.trainer().network(), config, tiny_digits(), nullptr);
    write_file_atomically(model(), outcome.integer->bytes);
  }
  static const TinyFiles& get() {
    static TinyFiles files;
    return files;
  }
  std::string model() const { return folder_.file("model.pare"); }
  std::string checkpoint() const { return run_.last(); }
  const TinyRun& run() const { return run_; }

 private:
  TemporaryFolder folder_;
  TinyRun run_;
};

}  // namespace

TEST_CASE("a model's sections add up to its bytes, and every operation is there") {
  const Json model = model_document(TinyFiles::get().model());
  std::uint64_t sum = 0;
  for (const Json& section : model["sections"]) sum += section["bytes"].get<std::uint64_t>();
  CHECK(sum == std::filesystem::file_size(TinyFiles::get().model()));
  CHECK(sum == model["bytes"]);
  const Json& conv = model["operations"][0];
  CHECK(conv["kind"] == "conv2d");
  CHECK(conv["weights"] == 200);
  CHECK(conv["bits"] == 8);
  CHECK(conv["macs"] == 28800);
  CHECK(conv["shape"] == Json({12, 12, 8}));
  const Json& bytes = conv["code_bytes"];
  CHECK(bytes["packed"] == 200);
  const std::string used = conv["coding"].get<std::string>();
  for (const char* coding : {"packed", "bitmap", "arithmetic", "relative_index", "huffman"}) {
    CHECK(bytes[used].get<int>() <= bytes[coding].get<int>());
  }
  const std::string text = to_text(model, {.tree = true});
  CHECK(contains(text, "biases and multipliers"));
  CHECK(contains(text, "28 x 28 x 1"));
}

TEST_CASE("a checkpoint shows where it stands, what is attached, and its arrays") {
  const Json checkpoint = checkpoint_document(TinyFiles::get().checkpoint());
  CHECK(checkpoint["name"] == "tiny");
  CHECK(checkpoint["phase"].is_null());  // training is over
  CHECK(checkpoint["run_step"] == 40);
  CHECK(checkpoint["sparsity"].get<double>() == doctest::Approx(0.75).epsilon(0.01));
  CHECK(checkpoint["chains"]["conv.weight"][0]["kind"] == "mask");
  CHECK(checkpoint["chains"]["conv.weight"][1]["bits"] == 8);
  bool found = false;
  for (const Json& array : checkpoint["arrays"]) {
    if (array["name"] == "network/conv.weight") found = array["shape"] == Json({8, 5, 5, 1});
  }
  CHECK(found);
  const std::string text = to_text(checkpoint, {.tree = false});
  CHECK(contains(text, "at the end of its training"));
  CHECK(contains(text, "mask, fake_quant (8 bits, uniform)"));
  CHECK(to_text(checkpoint, {.tree = true}).size() > text.size());
}

TEST_CASE("a path is told by its content, and what is none of ours by what it looks like") {
  const TinyFiles& files = TinyFiles::get();
  CHECK(recognize(files.model()).kind == ArtifactKind::model);
  CHECK(recognize(files.checkpoint()).kind == ArtifactKind::checkpoint);
  CHECK(recognize("mnist_qat_prune.json").kind == ArtifactKind::config);
  const TemporaryFolder folder;
  const auto looks = [&](std::string_view bytes) {
    write_file_atomically(folder.file("x"), bytes);
    return error_of([&] { recognize(folder.file("x")); });
  };
  CHECK(contains(looks(""), "it looks like an empty file"));
  CHECK(contains(looks("\x1f\x8b..."), "it looks like a gzip file"));
  CHECK(contains(looks("hello"), "it looks like text"));
  CHECK(contains(looks(std::string_view("\0\0\x08\x03", 4)), "an IDX file"));
  CHECK(contains(looks("\x01\x02\x03"), "binary data of no known kind"));
  save_safetensors(folder.file("x"), {});
  CHECK(contains(error_of([&] { recognize(folder.file("x")); }), "a safetensors file"));
  CHECK(contains(error_of([&] { recognize(folder.path()); }), "without a config.json"));
  CHECK(contains(error_of([&] { recognize(folder.file("y")); }), "there is no such file"));
  write_file_atomically(folder.file("c"), std::string_view(" // a comment\n/* two */ {}"));
  CHECK(recognize(folder.file("c")).kind == ArtifactKind::config);
}

TEST_CASE("two configs differ in the keys that were changed, and in nothing else") {
  const auto document = [](const RunConfig& run) {
    return Json{{"what", "config"}, {"path", "x"}, {"config", config::write(run)}};
  };
  const Json same = difference_of(document(tiny_config({})), document(tiny_config({})));
  CHECK(same["keys"].empty());
  CHECK(contains(difference_text(same), "the configs are equal"));
  const Json other = difference_of(document(tiny_config({})),
                                   document(tiny_config({"seed=2", "phases[1].epochs=3"})));
  REQUIRE(other["keys"].size() == 2);
  CHECK(other["keys"][0] == Json{{"path", "phases/1/epochs"}, {"a", 2.0}, {"b", 3.0}});
  CHECK(other["keys"][1]["path"] == "seed");
  Json model = {{"what", "model"}, {"path", "y"}};
  CHECK(contains(error_of([&] { difference_of(model, document(tiny_config({}))); }),
                 "expected two of one kind"));
}

TEST_CASE("two runs differ by accuracy, bytes and layer") {
  const auto run = [](double integer, int bytes) {
    return Json{{"what", "run"},
                {"path", "r"},
                {"config", Json::object()},
                {"result",
                 {{"accuracy", {{"float", nullptr}, {"integer", integer}}},
                  {"layers", {{{"name", "conv"}, {"weight_bits", 8}, {"bytes", bytes}}}}}}};
  };
  const std::string text = difference_text(difference_of(run(0.5, 1000), run(0.75, 2500)));
  CAPTURE(text);
  CHECK(contains(text, "+0.25"));
  CHECK(contains(text, "+1,500"));
  CHECK(contains(text, "conv"));
  Json unfinished = run(0.5, 1);
  unfinished["result"] = nullptr;
  CHECK(contains(difference_text(difference_of(unfinished, run(0.75, 2500))), "2,500"));
}

TEST_CASE("a result.json that is not ours is an error, not a crash") {
  const TemporaryFolder folder;
  write_file_atomically(folder.file("config.json"), config::pretty(config::write(tiny_config({}))));
  const auto inspected = [&](const std::string& result) {
    write_file_atomically(folder.file("result.json"), result);
    return error_of([&] { inspect_run({.subjects = {folder.path()}}); });
  };
  for (const char* bad : {"{}", R"({"accuracy": "x"})", R"({"accuracy": {}})", "[]", "7",
                          R"({"accuracy": {"float": 1}, "layers": [{}]})"}) {
    CAPTURE(bad);
    CHECK(inspected(bad).starts_with(folder.path() + ": its result.json is not one"));
  }
  const std::string deep(100000, '[');
  CHECK(contains(inspected(deep), "result.json: its JSON has more than 136 levels"));
}

TEST_CASE("techniques are what the tables hold, with every key of a method") {
  const Json document = techniques_document();
  CHECK(document["quantizers"].size() == quantizer_table().size());
  CHECK(document["pruners"].size() == pruner_table().size());
  const std::string text = techniques_text(document);
  for (const char* part : {"magnitude", "uniform", "ema_min_max", "weights.bits", "sparsity"}) {
    CHECK(contains(text, part));
  }
}

TEST_CASE("a table's columns are as wide as they need") {
  TextTable table({"name", ">n"});
  table.add({"a", "1"});
  table.add({"bcdef", "1,000"});
  CHECK(table.text() == "  name       n\n  a          1\n  bcdef  1,000\n");
}
