// Every key of a config has an effect: two tiny runs that differ in that key alone end with other
// bits, or, for a key that only reports, with another report. Keys come from the structs, so a new
// one without a row in key_rows.cpp fails here. A key that cannot pass is a key to take out.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "apps/lib/finish.h"
#include "apps/lib/train_run.h"
#include "apps/lib/trainer.h"
#include "datasets/load.h"
#include "framework/base/file.h"
#include "framework/config/config.h"
#include "framework/io/sha256.h"
#include "tests/apps/key_rows.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

namespace {

// --- The run that is changed.

// Holds IDX and npy files: 64 images of 28 x 28 to train (16 of them validate) and 24 to test.
const TemporaryFolder& data_folder() {
  static const TemporaryFolder folder;
  return folder;
}

std::string text_of(std::span<const std::uint8_t> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size()};
}

std::string idx(const std::vector<std::int64_t>& extents, std::span<const std::uint8_t> values) {
  std::string file = {0, 0, 8, static_cast<char>(extents.size())};
  for (const std::int64_t extent : extents) {
    for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(extent >> shift);
  }
  return file + text_of(values);
}

std::string npy(const std::vector<std::int64_t>& extents, std::span<const std::uint8_t> values) {
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (";
  for (const std::int64_t extent : extents) header += std::to_string(extent) + ", ";
  header += "), }";
  header.resize(117, ' ');
  return std::string("\x93NUMPY\x01\0\x76\0", 10) + header + "\n" + text_of(values);
}

// `count` images from the `first` on, in both forms: "train" is train-images-idx3-ubyte,
// x_train.npy and their labels.
void write_split(const std::string& folder, const std::string& name, const Images& images,
                 std::int64_t first, std::int64_t count) {
  const auto size = static_cast<std::size_t>(images.shape.size());
  const std::span pixels =
      std::span(images.pixels)
          .subspan(static_cast<std::size_t>(first) * size, static_cast<std::size_t>(count) * size);
  const auto begin = images.labels.begin() + first;
  const std::vector<std::uint8_t> labels(begin, begin + count);
  const auto write = [&](const std::string& file, const std::string& bytes) {
    write_file_atomically(data_folder().file(folder + file), std::string_view(bytes));
  };
  write((name == "test" ? "t10k" : name) + "-images-idx3-ubyte", idx({count, 28, 28}, pixels));
  write((name == "test" ? "t10k" : name) + "-labels-idx1-ubyte", idx({count}, labels));
  write("x_" + name + ".npy", npy({count, 28, 28}, pixels));
  write("y_" + name + ".npy", npy({count}, labels));
}

constexpr const char* kBase = R"({
  "name": "tiny",
  "dataset": { "kind": "idx", "batch_size": 16, "validation": 16 },
  "model": [
    { "kind": "conv2d", "name": "conv", "filters": 4, "kernel": 5, "stride": 3 },
    { "kind": "batch_norm", "name": "norm" },
    { "kind": "relu" },
    { "kind": "max_pool2d", "name": "pool" },
    { "kind": "flatten" },
    { "kind": "dense", "name": "last", "units": 10 }
  ],
  "optimizer": { "kind": "adam", "learning_rate": 0.01 },
  "compression": {
    "p": { "kind": "prune", "sparsity": 0.5 },
    "q": { "kind": "quantize" }
  },
  "phases": [
    { "name": "dense", "steps": 4 },
    { "name": "small", "steps": 6, "apply": ["q", "p"] }
  ]
})";

using Sets = std::vector<std::string>;

RunConfig tiny(const Sets& sets) {
  Sets all = {"dataset.folder=" + data_folder().path()};
  all.insert(all.end(), sets.begin(), sets.end());
  return config::read<RunConfig>(config::load_text(kBase, "tiny", all));
}

void add_bytes(Sha256& sha, const NamedArray& array) {
  sha.update(std::as_bytes(std::span(array.name)));
  sha.update(array.bytes);
}

// Everything that a run ends with: weights, masks, quantizers, moments, what searches found, the best
// network, and the integer model.
std::string compute_bits(const Sets& sets) {
  const RunConfig run = tiny(sets);
  const Dataset data = load_dataset(run.dataset, run.seed, "", [](const std::string&) {});
  Sha256 sha;
  Trainer* trainer = nullptr;
  TrainerEvents events;
  events.save = [&](bool) {
    const Checkpoint checkpoint = trainer->checkpoint();
    for (const NamedArray& array : checkpoint.arrays) add_bytes(sha, array);
    const std::string decisions = checkpoint.decisions.dump();
    sha.update(std::as_bytes(std::span(decisions)));
  };
  Trainer own(run, data, events);
  trainer = &own;
  own.run();
  own.restore_kept();
  const Outcome outcome = finish(own.network(), run, data, nullptr);
  sha.update(std::as_bytes(std::span(&outcome.fake_quant, 1)));
  if (outcome.integer) sha.update(outcome.integer->bytes);
  return hex(sha.digest());
}

// Many rows start from the same run.
std::string bits_of(const Sets& sets) {
  static std::map<Sets, std::string> known;
  const auto found = known.find(sets);
  return found != known.end() ? found->second : known[sets] = compute_bits(sets);
}

std::string bits_or_refusal(const Sets& sets) {
  std::string bits;
  const std::string error = error_of([&] { bits = bits_of(sets); });
  return bits.empty() ? error : bits;
}

// metrics.jsonl, in short.
std::string rows_of(const Sets& sets) {
  const RunConfig run = tiny(sets);
  const Dataset data = load_dataset(run.dataset, run.seed, "", [](const std::string&) {});
  std::string text;
  TrainerEvents events;
  events.row = [&](EpochRow& row) { text += to_json_without_times(row).dump() + "\n"; };
  Trainer(run, data, events).run();
  return text;
}

// What train leaves behind, without what times make different.
std::string folder_of(const Sets& sets) {
  const TemporaryFolder folder;
  TrainOptions options;
  options.config = folder.file("tiny.json");
  options.out = folder.file("run");
  options.sets = sets;
  options.sets.insert(options.sets.begin(), "dataset.folder=" + data_folder().path());
  write_file_atomically(options.config, std::string_view(kBase));
  Console console(Console::Level::quiet);
  train_run(options, console);
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(options.out)) {
    if (entry.is_regular_file()) names.insert(entry.path().lexically_relative(options.out));
  }
  const auto page = read_file(options.out + "/report.html", 1 << 26);
  const auto tags = std::count(page.begin(), page.end(), std::byte{'<'});
  return fmt::format("{}; {} tags", fmt::join(names, " "), tags);
}

std::string result_of(KeyRow::Compared compared, const Sets& sets) {
  if (compared == KeyRow::Compared::metrics) return rows_of(sets);
  if (compared == KeyRow::Compared::folder) return folder_of(sets);
  return compared == KeyRow::Compared::bits ? bits_of(sets) : bits_or_refusal(sets);
}

// Keys with one legal value, or documented twice: nothing to compare.
bool needs_no_row(const std::string& path) {
  static const std::set<std::string> single = {
      "compression.<name>.activations.granularity",  // an activation has one grid
      "compression.<name>.budget.loss_points",  // decides where a plan loses more (auto_test.cpp)
  };
  const auto inside = [&](const std::string& outer) { return path.starts_with(outer); };
  return single.contains(path) || inside("phases[].optimizer.") || inside("phases[].loss.") ||
         inside("strategy.optimizer.dense.") || inside("strategy.optimizer.stage.") ||
         inside("strategy.optimizer.recover.") ||
         inside("compression.<name>.overrides[].weights.") ||
         inside("compression.<name>.overrides[].activations.");
}

// The names by which a row may call an entry: its path, or, since several entries may share one,
// its path with one of the kinds that have it.
std::vector<std::string> names_of(const config::Entry& entry, bool shares_path) {
  std::vector<std::string> names;
  if (!shares_path || entry.when.empty()) names.push_back(entry.path);
  if (entry.when.empty()) return names;
  const std::size_t start = entry.when.find("= ");
  std::istringstream kinds(entry.when.substr(start + 2));
  for (std::string kind; std::getline(kinds >> std::ws, kind, ',');) {
    names.push_back(entry.path + " (" + entry.when.substr(0, start) + "= " + kind + ")");
  }
  return names;
}

// For every key of the structs its possible names; objects are represented by what is in them.
std::vector<std::vector<std::string>> keys_of_the_structs() {
  const std::vector<config::Entry> entries = config::document<RunConfig>();
  std::map<std::string, int> count;
  for (const config::Entry& entry : entries) ++count[entry.path];
  std::vector<std::vector<std::string>> keys;
  for (const config::Entry& entry : entries) {
    const bool holds_others =
        std::any_of(entries.begin(), entries.end(), [&](const config::Entry& other) {
          return other.path.starts_with(entry.path + ".") ||
                 other.path.starts_with(entry.path + "[]");
        });
    if (holds_others || needs_no_row(entry.path)) continue;
    keys.push_back(names_of(entry, count[entry.path] > 1));
  }
  return keys;
}

}  // namespace

TEST_CASE("every key of a config has a row here") {
  std::set<std::string> with_row;
  for (const KeyRow& row : key_rows("")) with_row.insert(row.key);
  for (const std::vector<std::string>& names : keys_of_the_structs()) {
    const bool has_row = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return with_row.contains(name);
    });
    INFO("no row in tests/apps/key_rows.cpp is called ",
         fmt::format("{}", fmt::join(names, " or ")));
    CHECK(has_row);
  }
}

TEST_CASE("two runs that differ in one key end with other bits") {
  std::filesystem::create_directory(data_folder().file("other"));
  write_split("", "train", tiny_digits().train, 0, 64);
  write_split("", "test", tiny_digits().test, 0, 24);
  write_split("other/", "train", tiny_digits().train, 64, 64);
  write_split("other/", "test", tiny_digits().test, 24, 24);
  for (const KeyRow& row : key_rows(data_folder().path())) {
    CAPTURE(row.key);
    Sets changed = row.base;
    changed.insert(changed.end(), row.change.begin(), row.change.end());
    CHECK(result_of(row.compared, row.base) != result_of(row.compared, changed));
  }
  CHECK(compute_bits({}) == compute_bits({}));  // the comparisons mean something
  CHECK(folder_of({}) == folder_of({}));
}
