// The files of a run: snapshots and checkpoints, metrics, the folder and its lock.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/lib/checkpoint.h"
#include "apps/lib/metrics.h"
#include "apps/lib/run_folder.h"
#include "apps/lib/snapshot.h"
#include "framework/base/file.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

namespace {

// A state with one value of each kind.
struct Everything {
  Tensor tensor = Tensor::from({2, 2}, std::vector<float>{1, 2, 3, 4});
  std::vector<std::uint8_t> bytes = {1, 0, 1};
  std::vector<std::uint8_t> range;
  std::int64_t integer = 5;
  double real = 0.1;

  void visit(StateVisitor& v) {
    v.tensor("t", tensor);
    v.bytes("mask", bytes);
    v.bytes("q/range", range);
    v.integer("i", integer);
    v.real("r", real);
  }
  VisitState visitor() {
    return [this](StateVisitor& v) { visit(v); };
  }
};

Snapshot taken(Everything& from) {
  Snapshot snapshot;
  collect(snapshot, "x/", from.visitor());
  return snapshot;
}

std::string text_of(const std::string& path) {
  const auto bytes = read_file(path, 1 << 20);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("a snapshot restores every kind of value") {
  Everything from;
  from.range = {9, 9, 9, 9};
  const Snapshot snapshot = taken(from);
  Everything to;
  to.tensor = Tensor::persistent({2, 2});
  to.bytes = {0, 0, 0};
  to.integer = 0;
  to.real = 0;
  restore(snapshot, "x/", to.visitor(), "file");
  CHECK(to.tensor.data()[3] == 4);
  CHECK(to.bytes == from.bytes);
  CHECK(to.range == from.range);  // empty before, as an observer's range is
  CHECK(to.integer == 5);
  CHECK(to.real == 0.1);
}

TEST_CASE("a snapshot that does not fit is refused with the name") {
  Everything from, to;
  const Snapshot snapshot = taken(from);
  const auto refusal = [&](const Snapshot& s) {
    return error_of([&] { restore(s, "x/", to.visitor(), "file"); });
  };
  Snapshot lacking(snapshot.begin() + 1, snapshot.end());
  CHECK(refusal(lacking) == "file: 'x/t' is missing");
  Snapshot more = snapshot;
  more.push_back({"x/extra", ElementType::uint8, {0}, {}});
  CHECK(refusal(more) == "file: 'x/extra' is not part of this run");
  Snapshot other = snapshot;
  other[0].shape = {4};
  CHECK(refusal(other) == "file: 'x/t' has another type or shape");
  more.back().name = "y/extra";
  CHECK(part_of(more, "y/").size() == 1);
  CHECK(refusal(part_of(more, "x/")) == "(no error)");
}

TEST_CASE("a checkpoint is read as it was written, and damage is noticed") {
  const TemporaryFolder folder;
  Everything from;
  Checkpoint c{.config = {{"seed", 1}},
               .network = config::Json::array(),
               .data_hash = "abc",
               .state = {},
               .arrays = taken(from)};
  c.state.phase = 2;
  c.state.started = true;
  c.state.step = 3;
  c.state.run_step = 30;
  c.state.loss_sum = 0.1;
  c.state.rows = {
      {.epoch = 1, .phase = "a", .step = 10, .loss = 0.3, .validation = 0.9, .seconds = 4.0}};
  c.state.best = 0;
  save_checkpoint(c, folder.file("a.h5"));
  const Checkpoint back = load_checkpoint(folder.file("a.h5"));
  CHECK(back.state.phase == 2);
  CHECK(back.state.started);
  CHECK(back.state.run_step == 30);
  CHECK(back.state.loss_sum == 0.1);
  CHECK(back.state.rows[0].loss == 0.3);
  CHECK_FALSE(back.state.rows[0].accuracy.has_value());
  CHECK_FALSE(back.state.rows[0].seconds.has_value());  // times are not in it
  CHECK(back.state.best == std::size_t{0});
  CHECK(back.config == c.config);

  std::vector<std::byte> bytes = read_file(folder.file("a.h5"), 1 << 20);
  bytes[bytes.size() / 2] ^= std::byte{1};
  write_file_atomically(folder.file("b.h5"), bytes);
  CHECK_THROWS_AS(load_checkpoint(folder.file("b.h5")), DataError);
  c.state.best = 7;
  save_checkpoint(c, folder.file("c.h5"));
  CHECK_THROWS_AS(load_checkpoint(folder.file("c.h5")), DataError);
  save_hdf5(folder.file("d.h5"), {"{\"format\": 2}", {}});
  CHECK(contains(error_of([&] { load_checkpoint(folder.file("d.h5")); }),
                 "is no checkpoint of Pare"));
}

TEST_CASE("of two checkpoints the later one is newer, also where only a calibration lies between") {
  TrainingState a, b;
  CHECK_FALSE(is_newer(a, b));
  a.run_step = 1;
  CHECK(is_newer(a, b));
  CHECK_FALSE(is_newer(b, a));
  b.run_step = 1;
  b.rows.push_back({});
  CHECK(is_newer(b, a));
}

TEST_CASE("metrics are one JSON object and one CSV line per row, and their times are found again") {
  const TemporaryFolder folder;
  const std::string jsonl = folder.file("m.jsonl"), csv = folder.file("m.csv");
  std::vector<EpochRow> rows = {
      {.epoch = 1, .phase = "a", .step = 8, .loss = 0.5, .seconds = 2.0},
      {.epoch = 2, .phase = "b", .step = 16, .validation = 0.25, .status = "75.0% zero"}};
  write_metrics(rows, jsonl, csv);
  CHECK(text_of(csv) ==
        "epoch,phase,step,loss,accuracy,validation,learning_rate,sparsity,at_target,status,seconds,"
        "images_per_second\n"
        "1,\"a\",8,0.5,,,0.0,0.0,false,\"\",2.0,\n"
        "2,\"b\",16,,,0.25,0.0,0.0,false,\"75.0% zero\",,\n");
  rows[0].seconds.reset();
  read_times(rows, jsonl);
  CHECK(rows[0].seconds == 2.0);
  std::vector<EpochRow> others = {{.epoch = 1, .phase = "a", .step = 9}};
  read_times(others, jsonl);
  CHECK_FALSE(others[0].seconds.has_value());  // of another run
}

TEST_CASE(
    "a folder that holds a run is refused, resumed or replaced, and nothing else in it is "
    "touched") {
  using IfThere = RunFolder::IfThere;
  const TemporaryFolder place;
  const std::string path = place.file("a/run");
  {
    const RunFolder folder(path, IfThere::refuse);
    write_file_atomically(folder.file("config.json"), std::string_view("{}"));
    write_file_atomically(folder.file("notes.txt"), std::string_view("mine"));
    folder.save_seconds(12.5);
  }
  CHECK(contains(error_of([&] { RunFolder(path, IfThere::refuse); }),
                 "holds a run already; add --resume"));
  CHECK(RunFolder(path, IfThere::resume).seconds_before() == 12.5);
  CHECK(RunFolder(path, IfThere::overwrite).seconds_before() == 0);
  CHECK_FALSE(std::filesystem::exists(path + "/config.json"));
  CHECK(std::filesystem::exists(path + "/notes.txt"));
}

TEST_CASE("temporary files of a process that died are removed, what else looks like them stays") {
  namespace fs = std::filesystem;
  const TemporaryFolder place;
  const std::string path = place.file("run");
  { const RunFolder folder(path, RunFolder::IfThere::refuse); }
  fs::create_directory(path + "/events");
  const char* ours[] = {"/.result.json.tmp.123", "/.config.json.tmp.1",
                        "/checkpoints/.last.h5.tmp.77", "/checkpoints/.best.h5.tmp.78",
                        "/events/.events.out.tfevents.pare.tmp.79"};
  const char* others[] = {"/.notes",
                          "/.notes.tmp.bak",
                          "/.notes.tmp.12",
                          "/.result.json.tmp.bak",
                          "/.result.json.tmp.",
                          "/.result.json.tmp.12~",
                          "/result.json.tmp.12",
                          "/.last.h5.tmp.12",
                          "/checkpoints/.mine.h5.tmp.12",
                          "/events/.result.json.tmp.12"};
  for (const char* name : ours) write_file_atomically(path + name, std::string_view("half"));
  for (const char* name : others) write_file_atomically(path + name, std::string_view("mine"));
  fs::create_directory(path + "/.model.pare.tmp.12");
  fs::create_symlink(path + "/.notes", path + "/.report.html.tmp.12");
  const RunFolder folder(path, RunFolder::IfThere::resume);
  for (const char* name : ours) CHECK_MESSAGE(!fs::exists(path + name), name);
  for (const char* name : others) CHECK_MESSAGE(fs::exists(path + name), name);
  CHECK(fs::is_directory(path + "/.model.pare.tmp.12"));
  CHECK(fs::is_symlink(path + "/.report.html.tmp.12"));
}

TEST_CASE("one writer at a time") {
  const TemporaryFolder place;
  {
    const RunFolder first(place.file("run"), RunFolder::IfThere::refuse);
    CHECK(contains(error_of([&] { RunFolder(place.file("run"), RunFolder::IfThere::resume); }),
                   "another process is writing it"));
  }
  CHECK(error_of([&] { RunFolder(place.file("run"), RunFolder::IfThere::resume); }) ==
        "(no error)");
}
