#include "tests/apps/key_rows.h"

namespace pare {
namespace {

using Sets = std::vector<std::string>;

std::string model(const std::string& nodes) {
  return "model=[" + nodes + R"(, {"kind": "flatten", "name": "flat"},
         {"kind": "dense", "name": "last", "units": 10}])";
}

// A schedule's keys, wherever it stands.
void add_schedule(std::vector<KeyRow>& rows, const std::string& documented, const std::string& path,
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
  add("from (kind = linear)", linear, ".from=" + high);
  add("to (kind = linear)", linear, ".to=" + low);
  add("begin (kind = linear)", linear, ".begin=0.5");
  add("begin (kind = one_shot)", with(R"("kind": "one_shot", )" + ends), ".begin=0.5");
  add("end (kind = linear)", linear, ".end=0.5");
  add("end (kind = one_cycle)", with(R"("kind": "one_cycle", "warmup": 0.3, )" + ends), ".end=0.6");
  add("unit", linear, ".unit=steps");
  add("frequency", linear, ".frequency=3");
  add("warmup (kind = linear)", linear, ".warmup=0.4");
  add("warmup (kind = one_cycle)", with(R"("kind": "one_cycle", "warmup": 0.3, )" + ends),
      ".warmup=0.6");
  add("power", with(R"("kind": "polynomial", "frequency": 1, )" + ends), ".power=1");
  const std::string step = with(R"("kind": "step", "at": [0.4], "from": )" + high);
  add("from (kind = step)", step, ".from=" + low);
  add("at", step, ".at=[0.7]");
  add("gamma", step, ".gamma=0.5");
}

void add_data(std::vector<KeyRow>& rows, const std::string& f) {
  const auto files = [&](const std::string& what, const std::string& split) {
    return "dataset." + what + R"(={"images": ")" + f + "/" + split +
           R"(-images-idx3-ubyte", "labels": ")" + f + "/" + split + R"(-labels-idx1-ubyte"})";
  };
  const Sets by_file = {"dataset.folder=null", files("train", "train"), files("test", "t10k")};
  rows.push_back(
      {"dataset.kind", {}, {R"(dataset={"_delete_": true, "kind": "digits", "limit": 64})"}});
  for (const std::string kind : {"idx", "npy"}) {
    rows.push_back({"dataset.folder (kind = " + kind + ")",
                    {"dataset.kind=" + kind},
                    {"dataset.folder=" + f + "/other"}});
  }
  for (const std::string split : {"train", "test"}) {
    const std::string file = split == "train" ? "train" : "t10k";
    rows.push_back(
        {"dataset." + split + ".images",
         by_file,
         {"dataset." + split + ".images=" + f + "/other/" + file + "-images-idx3-ubyte"}});
    rows.push_back(
        {"dataset." + split + ".labels",
         by_file,
         {"dataset." + split + ".labels=" + f + "/other/" + file + "-labels-idx1-ubyte"}});
  }
  rows.push_back({"dataset.batch_size", {}, {"dataset.batch_size=8"}});
  rows.push_back({"dataset.validation", {}, {"dataset.validation=8"}});
  rows.push_back({"dataset.limit", {}, {"dataset.limit=20"}});
  rows.push_back({"dataset.fallback",
                  {"dataset.folder=/no/such/folder", "dataset.limit=48", "dataset.fallback=digits"},
                  {"dataset.fallback=null"},
                  KeyRow::Compared::bits_or_refusal});
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

void add_model(std::vector<KeyRow>& rows) {
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
  node("kernel", conv, "kernel=4", "conv2d");
  node("stride", conv, "stride=4", "conv2d");
  node("padding", conv, "padding=same", "conv2d");
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
  node("stride", pool, "stride=2", "avg_pool2d");
  node("padding", pool, "padding=1", "avg_pool2d");
  node("momentum", norm, "momentum=0.5");
  node("epsilon", norm, "epsilon=0.1");
  node("rate", R"({"kind": "dropout", "rate": 0.2})", "rate=0.4");
}

void add_training(std::vector<KeyRow>& rows) {
  const auto add = [&](const std::string& key, const Sets& base, const std::string& change) {
    rows.push_back({key, base, {change}});
  };
  add("loss.kind", {}, "loss.kind=mse");
  add("loss.label_smoothing", {}, "loss.label_smoothing=0.1");
  add("optimizer.kind", {}, "optimizer.kind=rmsprop");
  add("optimizer.beta1", {}, "optimizer.beta1=0.5");
  for (const std::string kind : {"adam", "rmsprop"}) {
    const std::string when = kind == "adam" ? " (kind = adam)" : " (kind = rmsprop)";
    add("optimizer.beta2" + when, {"optimizer.kind=" + kind}, "optimizer.beta2=0.5");
    add("optimizer.epsilon", {"optimizer.kind=" + kind}, "optimizer.epsilon=0.001");
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
  rows.back().compared = KeyRow::Compared::metrics;
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

void add_strategy(std::vector<KeyRow>& rows) {
  const Sets base = {
      R"(strategy={"kind": "prune_then_quantize", "epochs": {"dense": 1, "stage": 2, "recover": 1}})",
      R"(compression.other={"kind": "prune", "sparsity": 0.7})",
      R"(compression.low={"kind": "quantize", "weights": {"bits": 4}})", "strategy.prune=p",
      "strategy.quantize=q"};
  for (const std::string change :
       {"kind=quantize_then_prune", "prune=other", "quantize=low", "epochs.dense=2",
        "epochs.stage=1", "epochs.recover=0", "optimizer.dense.learning_rate=0.02",
        "optimizer.stage.learning_rate=0.02", "optimizer.recover.learning_rate=0.02"}) {
    std::string key = change.substr(0, change.find('='));
    if (key.ends_with(".learning_rate")) key.resize(key.rfind('.'));
    rows.push_back({"strategy." + key, base, {"strategy." + change}});
  }
  rows.push_back({"strategy.budget", base, {"strategy.budget=as_is"}});
  rows.back().base.push_back("strategy.kind=prune_only");
  Sets taught = base;
  taught.emplace_back(R"(compression.d={"kind": "distill", "teacher": {"phase": "dense"}})");
  rows.push_back({"strategy.distill", taught, {"strategy.distill=d"}});
  taught.emplace_back("strategy.distill=d");
  rows.push_back({"strategy.distill_when", taught, {"strategy.distill_when=last"}});
}

void add_distillation(std::vector<KeyRow>& rows) {
  const Sets base = {R"(compression.d={"kind": "distill", "teacher": {"phase": "dense"}})",
                     R"(phases[1].apply=["q", "p", "d"])"};
  const auto add = [&](const std::string& key, const std::string& change, KeyRow::Compared how) {
    rows.push_back({"compression.<name>." + key, base, {"compression.d." + change}, how});
  };
  const auto bits = KeyRow::Compared::bits;
  add("alpha", "alpha=1", bits);
  add("temperature", "temperature=1", bits);
  add_schedule(rows, "compression.<name>.temperature", "compression.d.temperature", "1", "8");
  for (auto& row : rows) {
    const bool ours = row.key.starts_with("compression.<name>.temperature.");
    if (ours) row.base.insert(row.base.begin(), base.begin(), base.end());
  }
  add("teacher.phase", "teacher.phase=small", KeyRow::Compared::bits_or_refusal);
  add("teacher.checkpoint", R"(teacher={"_delete_": true, "checkpoint": "/no/such/file.h5"})",
      KeyRow::Compared::bits_or_refusal);
}

void add_factorization(std::vector<KeyRow>& rows) {
  const auto add = [&](const std::string& key, const std::string& keys, const std::string& change) {
    rows.push_back({"compression.<name>." + key,
                    {R"(compression.f={"kind": "factorize", )" + keys + "}",
                     R"(phases[1].apply=["f"])"},
                    {"compression.f." + change}});
  };
  add("method (kind = factorize)", R"("rank": 1, "include": ["conv.weight"])", "method=tucker2");
  add("rank", R"("rank": 2)", "rank=3");
  add("energy", R"("energy": 0.3)", "energy=0.6");
  add("include (kind = factorize)", R"("rank": 2)", R"(include=["last.weight"])");
  add("exclude (kind = factorize)", R"("rank": 2)", R"(exclude=["last.weight"])");
}

void add_dynamic(std::vector<KeyRow>& rows) {
  const Sets base = {R"(compression.r={"kind": "dynamic"})", R"(phases[1].apply=["r"])"};
  for (const std::string key : {"weight_bits", "activation_bits"})
    rows.push_back({"compression.<name>." + key, base, {"compression.r." + key + "=3"}});
}

void add_search(std::vector<KeyRow>& rows) {
  const auto add = [&](const std::string& key, const std::string& budget,
                       const std::string& change) {
    rows.push_back({"compression.<name>." + key,
                    {R"(compression.a={"kind": "auto", "search": {"bits": [2, 4],
                        "sparsity": [0, 0.5], "epochs": 0.5}, "budget": )" + budget + "}",
                     R"(phases[1].apply=["a"])", "phases[0].steps=60"},
                    {"compression.a." + change}});
  };
  const std::string bytes = R"({"bytes": 5000})";
  add("budget.bytes", bytes, "budget.bytes=800");
  add("budget.macs", R"({"macs": 9000})", "budget.macs=1000");
  rows.back().base.emplace_back("compression.a.search.sensitivity=hessian");
  rows.back().base.emplace_back("compression.a.search.sparsity=[0, 0.9]");
  add("search.bits", bytes, "search.bits=[3]");
  add("search.sparsity", bytes, "search.sparsity=[0.7]");
  add("search.sensitivity", bytes, "search.sensitivity=hessian");
  // Trials of another length are other accuracies, which a checkpoint holds.
  add("search.epochs", bytes, "search.epochs=2");
}

void add_compression(std::vector<KeyRow>& rows) {
  const auto prune = [&](const std::string& key, const Sets& base, const std::string& change) {
    rows.push_back({"compression.<name>." + key, base, {"compression.p." + change}});
  };
  const auto quantize = [&](const std::string& key, const Sets& base, const std::string& change) {
    rows.push_back({"compression.<name>." + key, base, {"compression.q." + change}});
  };
  rows.push_back({"compression.<name>.kind",
                  {R"(compression.x={"kind": "quantize"})", R"(phases[1].apply=["x"])"},
                  {R"(compression.x={"_delete_": true, "kind": "prune", "sparsity": 0.5})"}});
  prune("method (kind = prune)", {}, "method=random");
  prune("sparsity", {}, "sparsity=0.7");
  add_schedule(rows, "compression.<name>.sparsity", "compression.p.sparsity", "0.1", "0.6");
  const Sets by_threshold = {
      R"(compression.p={"_delete_": true, "kind": "prune", "threshold": 0.05})"};
  prune("threshold", by_threshold, "threshold=0.1");
  const Sets by_mean = {
      R"(compression.p={"_delete_": true, "kind": "prune", "threshold": {"mean_abs": 0.5}})"};
  prune("threshold.mean_abs", by_mean, "threshold.mean_abs=1");
  prune("score", {}, "score=int_code");
  prune("ties", {"compression.q.weights.bits=2", "compression.p.score=int_code"}, "ties=index");
  prune("scope", {}, "scope=global");
  prune("min_sparsity", {"compression.p.scope=global"}, "min_sparsity=0.5");
  prune("max_sparsity", {"compression.p.scope=global"}, "max_sparsity=0.5");
  prune("granularity", {}, "granularity=filter");
  const auto fresh = [](const std::string& keys) {
    return Sets{R"(compression.p={"_delete_": true, "kind": "prune", )" + keys + "}"};
  };
  prune("block_size", fresh(R"("sparsity": 0.5, "granularity": "block", "block_size": 2,
                 "include": ["last.weight"])"),
        "block_size=[5, 2]");
  prune("pattern", fresh(R"("granularity": "n_m", "pattern": "1:4", "include": ["last.weight"])"),
        "pattern=3:4");
  Sets many_filters = fresh(R"("sparsity": 0.5, "granularity": "filter")");
  many_filters.push_back(
      model(R"({"kind": "conv2d", "name": "conv", "filters": 16, "kernel": 5, "stride": 3})"));
  prune("norm", many_filters, "norm=geometric_median");
  const Sets rigl = fresh(R"("method": "rigl", "sparsity": 0.5, "regrow": {"every": 2})");
  prune("regrow.every", rigl, "regrow.every=1");
  prune("regrow.until", rigl, "regrow.until=0.2");
  prune("regrow.fraction", rigl, "regrow.fraction=0.9");
  prune("regrow.distribution", rigl, "regrow.distribution=erk");
  const Sets dns = fresh(R"("method": "dns", "regrow": {"every": 1, "c": 0, "low": 1, "high": 1})");
  prune("regrow.low", dns, "regrow.low=0.1");
  prune("regrow.high", dns, "regrow.high=3");
  prune("regrow.c", dns, "regrow.c=1");
  const Sets rewind = fresh(R"("rewind": {"to": 0, "rounds": 2, "per_round": 0.3})");
  prune("rewind.to", rewind, "rewind.to=1");
  prune("rewind.rounds", rewind, "rewind.rounds=3");
  prune("rewind.per_round", rewind, "rewind.per_round=0.5");
  const std::string soft = fresh(R"("method": "soft", "sparsity": {"kind": "linear", "to": 0.5,
                                    "frequency": 2})")[0];
  prune("factor", {soft}, "factor=0.2");
  const auto first = static_cast<std::ptrdiff_t>(rows.size());
  add_schedule(rows, "compression.<name>.factor", "compression.p.factor", "0.1", "0.6");
  for (auto row = rows.begin() + first; row != rows.end(); ++row)
    row->base.insert(row->base.begin(), soft);
  prune("include (kind = prune)", {}, "include=[\"last.weight\"]");
  prune("exclude (kind = prune)", {}, "exclude=[\"last.weight\"]");
  prune("mask_gradient", {"optimizer.kind=sgd", "optimizer.momentum=0.9"}, "mask_gradient=false");
  prune("mask_moments", {"phases[1].continue=true"}, "mask_moments=false");

  for (const std::string side : {"weights", "activations"}) {
    const std::string ema = side + ".observer=ema_min_max";
    quantize(side + ".bits", {}, side + ".bits=4");
    quantize(side + ".scheme", {},
             side + (side == "weights" ? ".scheme=affine" : ".scheme=symmetric"));
    quantize(side + ".observer", {}, side + ".observer=max_abs");
    quantize(side + ".decay", {"compression.q." + ema}, side + ".decay=0.5");
    quantize(side + ".scale", {}, side + ".scale=power_of_two");
  }
  const auto few = [](const std::string& name) {
    return Sets{"compression.q.weights.quantizer=" + name, R"(phases[1].apply=["q"])"};
  };
  quantize("weights.base", few("log2"), "weights.base=sqrt2");
  quantize("weights.levels", few("codebook"), "weights.levels=5");
  quantize("weights.init", few("codebook"), "weights.init=random");
  quantize("weights.train", few("codebook"), "weights.train=false");
  Sets sixteen = few("codebook");
  sixteen.push_back("report.integer=none");
  quantize("weights.level_bits", sixteen, "weights.level_bits=16");
  Sets long_phase = few("codebook");
  long_phase.push_back("dataset.batch_size=8");
  long_phase.push_back("phases[1].steps=20");
  quantize("weights.reassign", long_phase, "weights.reassign=epoch");
  quantize("weights.clip_latent", {}, "weights.clip_latent=0.05");
  quantize("error_penalty", {}, "error_penalty=0.1");
  const Sets calibration = {
      R"(phases[1]={"_delete_": true, "name": "ptq", "epochs": 0, "apply": ["q"]})",
      "compression.q.weights.bits=3"};
  quantize("correct_bias", calibration, "correct_bias=true");
  quantize("equalize", calibration, "equalize=true");
  Sets adaround = calibration;
  adaround.push_back(R"(compression.q.adaround={"iterations": 30})");
  quantize("adaround", calibration, "adaround.iterations=30");
  quantize("adaround.iterations", adaround, "adaround.iterations=60");
  quantize("adaround.learning_rate", adaround, "adaround.learning_rate=0.3");
  adaround.push_back("compression.q.adaround.learning_rate=0.1");
  quantize("adaround.lambda", adaround, "adaround.lambda=100");
  const std::string percentile = ".observer=percentile";
  quantize("weights.quantizer", {}, "weights.quantizer=lsq");
  quantize("activations.quantizer", {}, "activations.quantizer=pact");
  for (const std::string side : {"weights", "activations"}) {
    const Sets lsq = {"compression.q." + side + ".quantizer=lsq"};
    quantize(side + ".p", {"compression.q." + side + percentile}, side + ".p=80");
    quantize(side + ".rounding", {}, side + ".rounding=stochastic");
    quantize(side + ".learning_rate", lsq, side + ".learning_rate=0.1");
    quantize(side + ".weight_decay", lsq, side + ".weight_decay=0.1");
  }
  quantize("weights.granularity", {}, "weights.granularity=per_tensor");
  quantize("weights.observe", {"compression.p.method=random"}, "weights.observe=dense");
  quantize("first_last_bits", {}, "first_last_bits=4");
  const Sets override = {R"(compression.q.overrides=[{"match": "conv", "weights": {"bits": 4}}])"};
  quantize("overrides", {}, R"(overrides=[{"match": "conv", "weights": {"bits": 4}}])");
  quantize("overrides[].match", override, "overrides[0].match=last");
  quantize("overrides[].weights", override, "overrides[0].weights.bits=3");
  quantize("overrides[].activations", override, "overrides[0].activations.bits=3");
  quantize("batch_norm", {R"(phases[1].apply=["q"])"}, "batch_norm=fold");
  quantize("freeze_statistics_at", {}, "freeze_statistics_at=1");
  quantize("delay", {"dataset.batch_size=4"}, "delay=0.4");
  quantize("freeze_observers_at", {"dataset.batch_size=4"}, "freeze_observers_at=0.3");
  quantize("calibration.images",
           {R"(phases[1]={"_delete_": true, "name": "ptq", "epochs": 0, "apply": ["q"]})"},
           "calibration.images=5");
  add_distillation(rows);
  add_factorization(rows);
  add_dynamic(rows);
  add_search(rows);
  rows.push_back({"composition", {}, {"composition=quantize_then_mask"}});
  rows.push_back({"requantization.rounding", {}, {"requantization.rounding=single"}});
  rows.push_back({"report.keep",
                  {R"(phases[2]={"name": "ruin", "steps": 2, "optimizer": {"learning_rate": 9}})"},
                  {"report.keep=last"}});
  rows.push_back({"report.integer", {}, {"report.integer=none"}});
  for (const std::string change :
       {"histograms=false", "images=0", "tensorboard=false", "telemetry=2"}) {
    rows.push_back({"report." + change.substr(0, change.find('=')),
                    {},
                    {"report." + change},
                    KeyRow::Compared::folder});
  }
}

}  // namespace

std::vector<KeyRow> key_rows(const std::string& data_folder) {
  std::vector<KeyRow> all;
  all.push_back({"name", {}, {"name=other"}});  // model.pare holds it
  all.push_back({"seed", {}, {"seed=2"}});
  add_data(all, data_folder);
  add_model(all);
  add_training(all);
  add_strategy(all);
  add_compression(all);
  return all;
}

}  // namespace pare
