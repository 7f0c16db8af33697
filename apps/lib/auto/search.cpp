#include "apps/lib/auto/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/lib/auto/sensitivity.h"
#include "apps/lib/evaluate.h"
#include "apps/lib/finish.h"
#include "apps/lib/inspect/table.h"
#include "apps/lib/teachers.h"
#include "compression/integer/model_file.h"
#include "framework/base/error.h"
#include "layers/weighted.h"

namespace pare {
namespace {

using config::Json;

// Of the float32 network's size, for the codes, where only the accuracy is limited. 8 bits
// everywhere always fit into the last.
constexpr double kRatios[] = {96, 64, 48, 32, 24, 16, 12, 8, 4, 3};

double accuracy_of(Network& network, const Dataset& dataset,
                   const std::vector<PixelValues>& values) {
  return static_cast<double>(count_correct(network, dataset.validation, values)) /
         static_cast<double>(dataset.validation.count());
}

// What model.pare holds beside the weights' codes.
double overhead_bytes(const Network& network, const RunConfig& run, const Dataset& dataset) {
  Network copy = copy_of(network);
  const IntegerForm form = lower_network(copy, run, dataset);
  double codes = 0;
  for (const integer::LayerBytes& layer : integer::coding_sizes(form.program))
    codes += static_cast<double>(layer.used());
  return static_cast<double>(form.bytes.size()) - codes;
}

Json plan_json(const std::string& name, const std::vector<LayerOptions>& layers,
               const std::vector<std::size_t>& chosen, double overhead) {
  double bytes = overhead, macs = 0;
  Json list = Json::array();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Option& option = layers[i].options[chosen[i]];
    bytes += option.bytes;
    macs += option.macs;
    list.push_back({{"node", layers[i].node},
                    {"bits", option.bits},
                    {"sparsity", option.sparsity},
                    {"bytes", option.bytes},
                    {"macs", option.macs},
                    {"loss", option.loss}});
  }
  return {{"name", name},
          {"bytes", bytes},
          {"macs", macs},
          {"accuracy", nullptr},
          {"layers", std::move(list)}};
}

// The plans of a search, from the scan.
class Planner {
 public:
  Planner(std::vector<LayerOptions> layers, double overhead)
      : layers_(std::move(layers)), overhead_(overhead) {}

  // The best plan within `limit` whose layers all have `bits` (0: any). Nothing where none fits.
  void add(const std::string& name, int bits, Cost cost, double limit) {
    std::vector<std::vector<Option>> options;
    std::vector<std::vector<std::size_t>> index;  // of layers_' options
    for (const LayerOptions& layer : layers_) {
      options.emplace_back();
      index.emplace_back();
      for (std::size_t k = 0; k < layer.options.size(); ++k) {
        if (bits != 0 && layer.options[k].bits != bits) continue;
        options.back().push_back(layer.options[k]);
        index.back().push_back(k);
      }
    }
    const double of_layers = cost == &Option::bytes ? limit - overhead_ : limit;
    if (of_layers <= 0) return;
    const auto chosen = allocate(options, cost, of_layers);
    if (!chosen) return;
    std::vector<std::size_t> plan;
    for (std::size_t i = 0; i < chosen->size(); ++i) plan.push_back(index[i][(*chosen)[i]]);
    Json json = plan_json(name, layers_, plan, overhead_);
    const bool known = std::any_of(plans_.begin(), plans_.end(), [&](const Json& other) {
      return other["layers"] == json["layers"];
    });
    if (!known) plans_.push_back(std::move(json));
  }

  Json plans() const { return plans_; }
  double overhead() const { return overhead_; }

 private:
  std::vector<LayerOptions> layers_;
  double overhead_;
  Json plans_ = Json::array();
};

void add_plans(Planner& planner, const AutoConfig& config, const Network& network) {
  if (!config.budget.bytes && !config.budget.macs) {
    const double whole = 4.0 * static_cast<double>(network.parameter_count());
    for (const double ratio : kRatios)
      planner.add(fmt::format("1/{:g} of float32", ratio), 0, &Option::bytes,
                  planner.overhead() + whole / ratio);
    return;
  }
  const Cost cost = config.budget.bytes ? &Option::bytes : &Option::macs;
  const auto limit = static_cast<double>(config.budget.bytes.value_or(config.budget.macs.value_or(0)));
  planner.add("mixed", 0, cost, limit);
  if (config.budget.macs) return;  // bits cost no multiplications
  for (const int bits : config.search.bits)
    planner.add(fmt::format("{} bits everywhere", bits), bits, cost, limit);
}

Json begin(const AutoConfig& config, const RunConfig& run, const Dataset& dataset,
           Network& network) {
  const std::vector<PixelValues> values = pixel_values(dataset);
  const double overhead = overhead_bytes(network, run, dataset);
  Planner planner(scan(network, config.search, dataset.validation, values, run.seed),
                  overhead);
  add_plans(planner, config, network);
  if (planner.plans().empty())
    throw ConfigError("auto: no plan keeps the budget; allow more, or extend search");
  return {{"baseline", accuracy_of(network, dataset, values)},
          {"overhead_bytes", overhead},
          {"plans", planner.plans()},
          {"chosen", nullptr}};
}

std::vector<LayerChoice> choices_in(const Json& plan) {
  std::vector<LayerChoice> choices;
  for (const Json& layer : plan["layers"]) {
    choices.push_back({.node = layer["node"].get<std::string>(),
                       .bits = layer["bits"].get<int>(),
                       .sparsity = layer["sparsity"].get<double>()});
  }
  return choices;
}

// The index of the plan to take, once the trials say so.
std::optional<std::size_t> chosen_of(const Json& decision, const AutoConfig& config) {
  const Json& plans = decision["plans"];
  const bool first_that_passes = !config.budget.bytes && !config.budget.macs;
  const auto allowed = config.budget.loss_points.value_or(100) / 100;
  std::size_t best = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const Json& accuracy = plans[i]["accuracy"];
    if (accuracy.is_null()) return std::nullopt;
    const bool passes =
        accuracy.get<double>() >= decision["baseline"].get<double>() - allowed;
    if (first_that_passes && passes) return i;
    if (accuracy > plans[best]["accuracy"]) best = i;
  }
  return first_that_passes ? plans.size() - 1 : best;
}

}  // namespace

void require_reachable(const std::string& name, const AutoConfig& config, const RunConfig& run,
                       const Dataset& dataset, const Network& network) {
  const std::vector<int>& bits = config.search.bits;
  const std::vector<double>& sparsity = config.search.sparsity;
  const double most_zeros = *std::max_element(sparsity.begin(), sparsity.end());
  double bytes = config.budget.bytes ? overhead_bytes(network, run, dataset) : 0, macs = 0;
  for (const NetworkNode& node : network.nodes()) {
    const auto* layer = dynamic_cast<const Weighted*>(node.module.get());
    if (!layer) continue;
    double least = most_bytes(layer->weight().shape().size(), bits[0], most_zeros);
    for (const int b : bits)
      least = std::min(least, most_bytes(layer->weight().shape().size(), b, most_zeros));
    bytes += least;
    macs += static_cast<double>(node.module->macs()) * (1 - most_zeros);
  }
  // Two layers' costs are rounded up to 4096ths of the budget when a plan is made.
  const double margin = 1 + static_cast<double>(network.nodes().size()) / 4096;
  const auto require = [&](const char* what, const std::optional<std::int64_t>& limit,
                           double least) {
    if (!limit || least * margin <= static_cast<double>(*limit)) return;
    throw ConfigError(fmt::format(
        "compression.{}.budget.{}: expected at least {:.0f}, which the fewest bits and the highest "
        "sparsity of 'search' need, got {}; allow more, or extend search",
        name, what, std::ceil(least * margin), *limit));
  };
  require("bytes", config.budget.bytes, bytes);
  require("macs", config.budget.macs, macs);
}

Json search(Json decision, const AutoConfig& config, const RunConfig& run, const Dataset& dataset,
            Network& network, const SearchEvents& events) {
  if (decision.is_null()) {
    decision = begin(config, run, dataset, network);
    events.progress(decision);
  }
  while (decision["chosen"].is_null()) {
    if (const auto chosen = chosen_of(decision, config)) {
      decision["chosen"] = *chosen;
      break;
    }
    for (Json& plan : decision["plans"]) {
      if (!plan["accuracy"].is_null()) continue;
      plan["accuracy"] = events.trial(choices_in(plan));
      events.say(fmt::format("auto: {}: {:.2f} % of the validation images in a trial",
                             plan["name"].get<std::string>(),
                             100 * plan["accuracy"].get<double>()));
      break;
    }
    events.progress(decision);
  }
  events.progress(decision);
  events.say(decision_text(decision));
  return decision;
}

bool is_decided(const Json& decision) {
  return decision.is_object() && decision.contains("chosen") && !decision["chosen"].is_null();
}

std::vector<LayerChoice> choices_of(const Json& decision) {
  return choices_in(decision["plans"][decision["chosen"].get<std::size_t>()]);
}

std::string decision_text(const Json& decision) {
  const auto percent = [](const Json& accuracy) {
    return accuracy.is_null() ? std::string("not tried")
                              : fmt::format("{:.2f} %", 100 * accuracy.get<double>());
  };
  const auto chosen = decision["chosen"].get<std::size_t>();
  TextTable plans({"plan", "bytes at most", "MACs", "trial", ""});
  for (std::size_t i = 0; i < decision["plans"].size(); ++i) {
    const Json& plan = decision["plans"][i];
    plans.add({plan["name"].get<std::string>(), fmt::format("{:.0f}", plan["bytes"].get<double>()),
               fmt::format("{:.0f}", plan["macs"].get<double>()), percent(plan["accuracy"]),
               i == chosen ? "chosen" : ""});
  }
  TextTable layers({"layer", "bits", "zero", "bytes at most", "loss alone"});
  for (const Json& layer : decision["plans"][chosen]["layers"]) {
    layers.add({layer["node"].get<std::string>(), std::to_string(layer["bits"].get<int>()),
                fmt::format("{:g} %", 100 * layer["sparsity"].get<double>()),
                fmt::format("{:.0f}", layer["bytes"].get<double>()),
                fmt::format("+{:.3f}", layer["loss"].get<double>())});
  }
  return "auto: before, " + percent(decision["baseline"]) + " of the validation images\n" +
         plans.text() + "\n" + layers.text();
}

}  // namespace pare
