// Every key of a config has an effect: two tiny runs that differ in that key alone end with other
// bits, or, for a key that only reports, with another report. Keys come from the structs, so a new
// one without a row in rows() fails here. A key that cannot pass is a key to take out.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "apps/lib/finish.h"
#include "apps/lib/trainer.h"
#include "datasets/load.h"
#include "framework/base/file.h"
#include "framework/base/hash.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

namespace {

// --- The run that is changed.

// Holds IDX files: 64 images of 28 x 28 to train (16 of them validate) and 24 to test.
const TemporaryFolder& idx_folder() {
  static const TemporaryFolder folder;
  return folder;
}

void write_idx(const std::string& name, std::initializer_list<std::uint32_t> extents,
               std::span<const std::uint8_t> values) {
  std::string file = {0, 0, 8, static_cast<char>(extents.size())};
  for (const std::uint32_t extent : extents) {
    for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(extent >> shift);
  }
  file.append(reinterpret_cast<const char*>(values.data()), values.size());
  write_file_atomically(idx_folder().file(name), std::string_view(file));
}

// `count` images from the `first` on.
void write_split(const std::string& name, const Images& images, std::uint32_t first,
                 std::uint32_t count) {
  const std::span pixels = std::span(images.pixels).subspan(first * 28 * 28, count * 28 * 28);
  const auto begin = images.labels.begin() + first;
  const std::vector<std::uint8_t> labels(begin, begin + count);
  write_idx(name + "-images-idx3-ubyte", {count, 28, 28}, pixels);
  write_idx(name + "-labels-idx1-ubyte", {count}, labels);
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
  Sets all = {"dataset.folder=" + idx_folder().path()};
  all.insert(all.end(), sets.begin(), sets.end());
  return config::read<RunConfig>(config::load_text(kBase, "tiny", all));
}

void add_bytes(Sha256& sha, const NamedArray& array) {
  sha.update(std::as_bytes(std::span(array.name)));
  sha.update(array.bytes);
}

// Everything that a run ends with: weights, masks, quantizers, moments, the best network, and the
// integer model.
std::string compute_bits(const Sets& sets) {
  const RunConfig run = tiny(sets);
  const Dataset data = load_dataset(run.dataset, run.seed, "", [](const std::string&) {});
  Sha256 sha;
  Trainer* trainer = nullptr;
  TrainerEvents events;
  events.save = [&](bool) {
    for (const NamedArray& array : trainer->checkpoint().arrays) add_bytes(sha, array);
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

// --- The rows.

struct Row {
  std::string key;  // as in docs/config.md; "... (kind = x)" where several entries share a path
  Sets base;        // of both runs
  Sets change;      // of the second
  std::function<std::string(const Sets&)> result = bits_of;
};

std::string model(const std::string& nodes) {
  return "model=[" + nodes + R"(, {"kind": "flatten", "name": "flat"},
         {"kind": "dense", "name": "last", "units": 10}])";
}

// A schedule's keys, wherever it stands.
void add_schedule(std::vector<Row>& rows, const std::string& documented, const std::string& path,
                  const std::string& low, const std::string& high) {
  const auto with = [&](const std::string& keys) { return path + "={" + keys + "}"; };
  const std::string ends = R"("from": )" + low + R"(, "to": )" + high;
  const std::string linear = with(R"("kind": "linear", "frequency": 1, )" + ends);
  const auto add = [&](const std::string& key, const std::string& base, const std::string& change) {
    rows.push_back({documented + "." + key, {base}, {path + change}});
  };
  add("kind", linear, ".kind=cosine");
  add("from (kind = constant)", with(R"("kind": "constant", "from": )" + low), ".from=" + high);
  add("to (kind = constant)", with(R"("kind": "constant", "to": )" + low), ".to=" + high);
  add("from", linear, ".from=" + high);
  add("to", linear, ".to=" + low);
  add("begin", linear, ".begin=0.5");
  add("begin (kind = one_shot)", with(R"("kind": "one_shot", )" + ends), ".begin=0.5");
  add("end", linear, ".end=0.5");
  add("end (kind = one_cycle)", with(R"("kind": "one_cycle", "warmup": 0.3, )" + ends), ".end=0.6");
  add("unit", linear, ".unit=steps");
  add("frequency", linear, ".frequency=3");
  add("warmup", linear, ".warmup=0.4");
  add("warmup (kind = one_cycle)", with(R"("kind": "one_cycle", "warmup": 0.3, )" + ends),
      ".warmup=0.6");
  add("power", with(R"("kind": "polynomial", "frequency": 1, )" + ends), ".power=1");
  const std::string step = with(R"("kind": "step", "at": [0.4], "from": )" + high);
  add("from (kind = step)", step, ".from=" + low);
  add("at", step, ".at=[0.7]");
  add("gamma", step, ".gamma=0.5");
}

void add_data(std::vector<Row>& rows) {
  const std::string f = idx_folder().path();
  const auto files = [&](const std::string& what, const std::string& split) {
    return "dataset." + what + R"(={"images": ")" + f + "/" + split +
           R"(-images-idx3-ubyte", "labels": ")" + f + "/" + split + R"(-labels-idx1-ubyte"})";
  };
  const Sets by_file = {"dataset.folder=null", files("train", "train"), files("test", "t10k")};
  rows.push_back(
      {"dataset.kind", {"dataset.limit=48"}, {"dataset.folder=null", "dataset.kind=digits"}});
  rows.push_back({"dataset.folder", {}, {"dataset.folder=" + f + "/other"}});
  for (const std::string split : {"train", "test"}) {
    const std::string file = split == "train" ? "train" : "t10k";
    rows.push_back(
        {"dataset." + split + ".images",
         by_file,
         {"dataset." + split + ".images=" + f + "/" + file + "-other-images-idx3-ubyte"}});
    rows.push_back(
        {"dataset." + split + ".labels",
         by_file,
         {"dataset." + split + ".labels=" + f + "/" + file + "-other-labels-idx1-ubyte"}});
  }
  rows.push_back({"dataset.batch_size", {}, {"dataset.batch_size=8"}});
  rows.push_back({"dataset.validation", {}, {"dataset.validation=8"}});
  rows.push_back({"dataset.limit", {}, {"dataset.limit=20"}});
  rows.push_back({"dataset.fallback",
                  {"dataset.folder=/no/such/folder", "dataset.limit=48", "dataset.fallback=digits"},
                  {"dataset.fallback=null"},
                  bits_or_refusal});
  const auto augment = [&](const std::string& key, const std::string& base,
                           const std::string& change) {
    rows.push_back({"dataset.augment[]." + key,
                    {"dataset.augment=[{" + base + "}]"},
                    {"dataset.augment[0]." + change}});
  };
  augment("kind", R"("kind": "flip")", "kind=rotate");
  augment("pixels", R"("kind": "shift", "pixels": 1)", "pixels=3");
  augment("padding", R"("kind": "crop", "padding": 1)", "padding=3");
  augment("degrees", R"("kind": "rotate", "degrees": 5)", "degrees=20");
  augment("size", R"("kind": "cutout", "size": 4)", "size=9");
  rows.push_back({"dataset.normalize", {}, {"dataset.normalize=none"}});
  const Sets given = {R"(dataset.normalize={"mean": [0.1], "std": [0.3]})"};
  rows.push_back({"dataset.normalize.mean", given, {"dataset.normalize.mean=[0.2]"}});
  rows.push_back({"dataset.normalize.std", given, {"dataset.normalize.std=[0.4]"}});
}

void add_model(std::vector<Row>& rows) {
  const auto node = [&](const std::string& key, const std::string& nodes, const std::string& change,
                        const std::string& when = "") {
    rows.push_back({"model[]." + key + (when.empty() ? "" : " (kind = " + when + ")"),
                    {model(nodes)},
                    {"model[0]." + change}});
  };
  const std::string conv = R"({"kind": "conv2d", "filters": 4, "kernel": 5, "stride": 3})";
  const std::string depthwise = R"({"kind": "depthwise_conv2d", "kernel": 5, "stride": 3})";
  const std::string pool = R"({"kind": "avg_pool2d", "size": 3})";
  const std::string norm = R"({"kind": "batch_norm"})";
  rows.push_back({"model[].name", {}, {"model[5].name=other"}});  // its values are drawn from it
  rows.push_back({"model[].kind", {}, {"model[3].kind=avg_pool2d"}});
  rows.push_back(
      {"model[].inputs",
       {model(R"({"kind": "relu", "name": "r"}, {"kind": "add", "inputs": ["input", "r"]})")},
       {R"(model[1].inputs=["r", "r"])"}});
  rows.push_back({"model[].activation", {}, {"model[0].activation=relu"}});
  node("filters", conv, "filters=5");
  node("kernel", conv, "kernel=4", "conv2d, depthwise_conv2d");
  node("stride", conv, "stride=4", "conv2d, depthwise_conv2d");
  node("padding", conv, "padding=same", "conv2d, depthwise_conv2d");
  node("bias", conv, "bias=false");
  node("init", conv, "init=glorot");
  node("groups", R"({"kind": "conv2d", "filters": 4, "kernel": 3, "stride": 3}, )" + conv,
       "filters=4");
  rows.back().base.push_back("model[1].groups=1");
  rows.back().change = {"model[1].groups=2"};
  node("multiplier", depthwise, "multiplier=2");
  node("units", R"({"kind": "flatten"}, {"kind": "dense", "units": 7})", "kind=flatten");
  rows.back().change = {"model[1].units=8"};
  node("size", pool, "size=4");
  node("stride", pool, "stride=2", "max_pool2d, avg_pool2d");
  node("padding", pool, "padding=1", "max_pool2d, avg_pool2d");
  node("momentum", norm, "momentum=0.5");
  node("epsilon", norm, "epsilon=0.1");
  node("rate", R"({"kind": "dropout", "rate": 0.2})", "rate=0.4");
}

void add_training(std::vector<Row>& rows) {
  const auto add = [&](const std::string& key, const Sets& base, const std::string& change) {
    rows.push_back({key, base, {change}});
  };
  add("loss.kind", {}, "loss.kind=mse");
  add("loss.label_smoothing", {}, "loss.label_smoothing=0.1");
  add("optimizer.kind", {}, "optimizer.kind=rmsprop");
  add("optimizer.beta1", {}, "optimizer.beta1=0.5");
  for (const std::string kind : {"adam", "rmsprop"}) {
    const std::string when = kind == "adam" ? " (kind = adam, adamw)" : " (kind = rmsprop)";
    add("optimizer.beta2" + when, {"optimizer.kind=" + kind}, "optimizer.beta2=0.5");
    add("optimizer.epsilon" + when, {"optimizer.kind=" + kind}, "optimizer.epsilon=0.001");
  }
  add("optimizer.momentum", {"optimizer.kind=sgd"}, "optimizer.momentum=0.9");
  add("optimizer.nesterov", {"optimizer.kind=sgd", "optimizer.momentum=0.9"},
      "optimizer.nesterov=true");
  add("optimizer.learning_rate", {}, "optimizer.learning_rate=0.02");
  add("optimizer.weight_decay", {}, "optimizer.weight_decay=0.01");
  add("optimizer.decay_all", {"optimizer.weight_decay=0.01"}, "optimizer.decay_all=true");
  add("optimizer.l1", {}, "optimizer.l1=0.01");
  add("optimizer.group_lasso", {}, "optimizer.group_lasso=0.01");
  add("optimizer.clip_norm", {}, "optimizer.clip_norm=0.01");
  add("optimizer.ema", {}, "optimizer.ema=0.5");
  add_schedule(rows, "optimizer.learning_rate", "optimizer.learning_rate", "0.001", "0.02");
  add("phases[].name", {}, "phases[0].name=other");
  rows.back().result = rows_of;
  add("phases[].epochs", {"phases[0].steps=null", "phases[0].epochs=1"}, "phases[0].epochs=2");
  add("phases[].steps", {}, "phases[0].steps=5");
  add("phases[].apply", {}, "phases[1].apply=[\"q\"]");
  add("phases[].release", {R"(phases[2]={"name": "end", "steps": 2})"},
      "phases[2].release=[\"p\"]");
  add("phases[].freeze", {}, "phases[1].freeze=[\"last.*\"]");
  add("phases[].continue", {}, "phases[1].continue=true");
  add("phases[].optimizer", {}, "phases[1].optimizer.learning_rate=0.1");
  add("phases[].loss", {}, "phases[1].loss.kind=mse");
}

void add_compression(std::vector<Row>& rows) {
  const auto prune = [&](const std::string& key, const Sets& base, const std::string& change) {
    rows.push_back({"compression.<name>." + key, base, {"compression.p." + change}});
  };
  const auto quantize = [&](const std::string& key, const Sets& base, const std::string& change) {
    rows.push_back({"compression.<name>." + key, base, {"compression.q." + change}});
  };
  rows.push_back({"compression.<name>.kind",
                  {R"(compression.x={"kind": "quantize"})", R"(phases[1].apply=["x"])"},
                  {R"(compression.x={"_delete_": true, "kind": "prune", "sparsity": 0.5})"}});
  prune("method", {}, "method=random");
  prune("sparsity", {}, "sparsity=0.7");
  add_schedule(rows, "compression.<name>.sparsity", "compression.p.sparsity", "0.1", "0.6");
  const Sets by_threshold = {
      R"(compression.p={"_delete_": true, "kind": "prune", "threshold": 0.05})"};
  prune("threshold", by_threshold, "threshold=0.1");
  const Sets by_mean = {
      R"(compression.p={"_delete_": true, "kind": "prune", "threshold": {"mean_abs": 0.5}})"};
  prune("threshold.mean_abs", by_mean, "threshold.mean_abs=1");
  prune("score", {"compression.q.weights.bits=2"}, "score=int_code");
  prune("ties", {"compression.q.weights.bits=2", "compression.p.score=int_code"}, "ties=index");
  prune("scope", {}, "scope=global");
  prune("min_sparsity", {"compression.p.scope=global"}, "min_sparsity=0.5");
  prune("max_sparsity", {"compression.p.scope=global"}, "max_sparsity=0.5");
  prune("include", {}, "include=[\"last.weight\"]");
  prune("exclude", {}, "exclude=[\"last.weight\"]");
  prune("mask_gradient", {"optimizer.kind=sgd", "optimizer.momentum=0.9"}, "mask_gradient=false");
  prune("mask_moments", {}, "mask_moments=false");

  for (const std::string side : {"weights", "activations"}) {
    const std::string ema = side + ".observer=ema_min_max";
    quantize(side + ".bits", {}, side + ".bits=4");
    quantize(side + ".scheme", {},
             side + (side == "weights" ? ".scheme=affine" : ".scheme=symmetric"));
    quantize(side + ".observer", {}, side + ".observer=max_abs");
    quantize(side + ".decay", {"compression.q." + ema}, side + ".decay=0.5");
    quantize(side + ".scale", {}, side + ".scale=power_of_two");
  }
  quantize("weights.granularity", {}, "weights.granularity=per_tensor");
  quantize("weights.observe", {}, "weights.observe=dense");
  quantize("first_last_bits", {}, "first_last_bits=4");
  const Sets override = {R"(compression.q.overrides=[{"match": "conv", "weights": {"bits": 4}}])"};
  quantize("overrides", {}, R"(overrides=[{"match": "conv", "weights": {"bits": 4}}])");
  quantize("overrides[].match", override, "overrides[0].match=last");
  quantize("overrides[].weights", override, "overrides[0].weights.bits=3");
  quantize("overrides[].activations", override, "overrides[0].activations.bits=3");
  quantize("freeze_statistics_at", {}, "freeze_statistics_at=1");
  quantize("delay", {"dataset.batch_size=4"}, "delay=0.4");
  quantize("freeze_observers_at", {"dataset.batch_size=4"}, "freeze_observers_at=0.3");
  quantize("calibration.images",
           {R"(phases[1]={"_delete_": true, "name": "ptq", "epochs": 0, "apply": ["q"]})"},
           "calibration.images=5");
  rows.push_back({"composition", {}, {"composition=quantize_then_mask"}});
  rows.push_back({"requantization.rounding", {}, {"requantization.rounding=single"}});
  rows.push_back({"report.keep",
                  {R"(phases[2]={"name": "ruin", "steps": 2, "optimizer": {"learning_rate": 9}})"},
                  {"report.keep=last"}});
  rows.push_back({"report.integer", {}, {"report.integer=none"}});
}

std::vector<Row> rows() {
  std::vector<Row> all;
  all.push_back({"name", {}, {"name=other"}});  // model.pare holds it
  all.push_back({"seed", {}, {"seed=2"}});
  add_data(all);
  add_model(all);
  add_training(all);
  add_compression(all);
  return all;
}

// Keys with one legal value, or documented twice: nothing to compare.
bool needs_no_row(const std::string& path) {
  static const std::set<std::string> single = {
      "compression.<name>.weights.quantizer",        // one so far
      "compression.<name>.activations.quantizer",    // one so far
      "compression.<name>.activations.granularity",  // an activation has one grid
  };
  const auto inside = [&](const std::string& outer) { return path.starts_with(outer); };
  return single.contains(path) || inside("phases[].optimizer.") || inside("phases[].loss.") ||
         inside("compression.<name>.overrides[].weights.") ||
         inside("compression.<name>.overrides[].activations.");
}

// The keys of the structs by the names that rows use; objects are represented by what is in them.
std::vector<std::string> keys_of_the_structs() {
  const std::vector<config::Entry> entries = config::document<RunConfig>();
  std::map<std::string, int> count;
  for (const config::Entry& entry : entries) ++count[entry.path];
  std::vector<std::string> keys;
  for (const config::Entry& entry : entries) {
    const bool holds_others =
        std::any_of(entries.begin(), entries.end(), [&](const config::Entry& other) {
          return other.path.starts_with(entry.path + ".") ||
                 other.path.starts_with(entry.path + "[]");
        });
    if (holds_others || needs_no_row(entry.path)) continue;
    keys.push_back(count[entry.path] == 1 ? entry.path : entry.path + " (" + entry.when + ")");
  }
  return keys;
}

}  // namespace

TEST_CASE("every key of a config has a row here") {
  std::set<std::string> with_row;
  for (const Row& row : rows()) with_row.insert(row.key);
  for (const std::string& key : keys_of_the_structs()) {
    CAPTURE(key);
    CHECK(with_row.contains(key));
  }
}

TEST_CASE("two runs that differ in one key end with other bits") {
  write_split("train", tiny_digits().train, 0, 64);
  write_split("t10k", tiny_digits().test, 0, 24);
  std::filesystem::create_directory(idx_folder().file("other"));
  write_split("other/train", tiny_digits().train, 64, 64);
  write_split("other/t10k", tiny_digits().test, 24, 24);
  for (const std::string split : {"train", "t10k"}) {
    const Images& images = split == "train" ? tiny_digits().train : tiny_digits().test;
    write_split(split + "-other", images, 48, split == "train" ? 64 : 24);
  }
  for (const Row& row : rows()) {
    CAPTURE(row.key);
    Sets changed = row.base;
    changed.insert(changed.end(), row.change.begin(), row.change.end());
    CHECK(row.result(row.base) != row.result(changed));
  }
  CHECK(compute_bits({}) == compute_bits({}));  // the comparison means something
}
