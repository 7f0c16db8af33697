#include "apps/lib/result.h"

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "apps/lib/pruning_result.h"
#include "compression/groups.h"
#include "compression/integer/model_file.h"
#include "compression/quantize/activation_quantizer.h"
#include "compression/quantize/weight_quantizer.h"
#include "framework/base/error.h"
#include "layers/weighted.h"

namespace pare {
namespace {

using config::Json;

// Codes that stand for zero.
std::int64_t zero_codes(const integer::Weights& w, std::int64_t out, bool depthwise) {
  std::int64_t zeros = 0;
  const auto taps = static_cast<std::int64_t>(w.codes.size()) / out;
  for (std::int64_t i = 0; i < std::ssize(w.codes); ++i) {
    const auto channel = static_cast<std::size_t>(depthwise ? i % out : i / taps);
    const std::int32_t zero =
        w.zero_points.empty() ? 0 : w.zero_points[w.zero_points.size() == 1 ? 0 : channel];
    zeros += w.codes[static_cast<std::size_t>(i)] == zero;
  }
  return zeros;
}

// Every weight works once per output pixel (padded taps count).
LayerResult layer_result(const Network& network, const Group& group,
                         const integer::Weights& weights) {
  const NetworkNode& head = network.node(group.head);
  const bool depthwise = head.module->kind() == "depthwise_conv2d";
  LayerResult layer;
  layer.name = head.name;
  layer.kind = head.module->kind();
  layer.weights = std::ssize(weights.codes);
  layer.zeros = zero_codes(weights, head.shape[-1], depthwise);
  layer.weight_bits = weights.bits;
  layer.input_bits = grid_source(network, head.inputs[0])->quantizer().grid().format.bits;
  layer.macs = head.module->macs();
  const std::int64_t pixels = head.shape.size() / head.shape[-1];
  layer.effective_macs = (layer.weights - layer.zeros) * pixels;
  return layer;
}

Json limits_json(const std::optional<report::Limits>& limits) {
  return limits ? Json({limits->low, limits->high}) : Json();
}

Json real_json(const std::optional<double>& x) { return x ? Json(*x) : Json(); }

Json shape_json(const Shape& shape) {
  Json json = Json::array();
  for (int axis = 0; axis < shape.rank(); ++axis) json.push_back(shape[axis]);
  return json;
}

// Of what the network computes with; null where that is floats.
Json weight_bits(const Parameter& weight) {
  const auto* quantizer = dynamic_cast<const WeightQuantizer*>(weight.find(kWeightQuantizer));
  return quantizer ? Json(quantizer->config().format().bits) : Json();
}

Json input_bits(const Network& network, const NetworkNode& layer) {
  const ActivationQuantizer* source = grid_source(network, layer.inputs[0]);
  return source ? Json(source->config().format().bits) : Json();
}

// What every network has.
Json layer_json(const Network& network, const LayerStatistics& layer) {
  const auto weights = static_cast<double>(layer.shape.size());
  const NetworkNode& node = network.node(layer.name);
  return {{"name", layer.name},
          {"kind", layer.kind},
          {"shape", shape_json(layer.shape)},
          {"weights", layer.shape.size()},
          {"zeros", layer.zeros},
          {"zeros_by_mask", layer.masked},
          {"zeros_by_rounding", layer.zeros - layer.masked},
          {"sparsity", static_cast<double>(layer.zeros) / weights},
          {"sparsity_by_mask", static_cast<double>(layer.masked) / weights},
          {"weight_bits", weight_bits(dynamic_cast<Weighted&>(*node.module).weight())},
          {"input_bits", input_bits(network, node)},
          {"range", limits_json(layer.range)},
          {"sqnr", real_json(layer.weights.sqnr)},
          {"activation_range", limits_json(layer.activations.grid)},
          {"activation_sqnr", real_json(layer.activations.sqnr)},
          {"bytes", nullptr},
          {"coding", nullptr},
          {"macs", node.module->macs()},
          {"effective_macs", nullptr},
          {"bops", nullptr},
          {"latency_us", nullptr}};
}

// What the integer form answers.
void add_integer(Json& json, const LayerResult& layer) {
  json["zeros"] = layer.zeros;
  json["zeros_by_rounding"] = layer.zeros - json["zeros_by_mask"].get<std::int64_t>();
  json["sparsity"] = static_cast<double>(layer.zeros) / static_cast<double>(layer.weights);
  json["weight_bits"] = layer.weight_bits;
  json["input_bits"] = layer.input_bits;
  json["bytes"] = layer.bytes;
  json["coding"] = layer.coding;
  json["effective_macs"] = layer.effective_macs;
  json["bops"] = layer.bops();
  json["latency_us"] = layer.latency_us;
}

Json phases_json(const RunConfig& run, const Trainer& trainer) {
  Json phases = Json::array();
  for (std::size_t i = 0; i < run.phases.size(); ++i) {
    const PhaseConfig& phase = run.phases[i];
    const ScheduleSpan& span = trainer.spans()[i];
    Json json = {{"name", phase.name},
                 {"steps", span.steps},
                 {"epochs", static_cast<double>(span.steps) / span.steps_per_epoch},
                 {"apply", phase.apply},
                 {"release", phase.release}};
    for (const EpochRow& row : trainer.state().rows) {
      if (row.phase != phase.name) continue;
      const Json full = to_json(row);
      for (const char* key : {"loss", "validation", "sparsity", "status", "images_per_second"})
        json[key] = full[key];
    }
    phases.push_back(std::move(json));
  }
  return phases;
}

Json dataset_json(const RunConfig& run, const Dataset& dataset) {
  return {{"kind", dataset.kind},           {"requested", run.dataset.kind},
          {"source", dataset.source},       {"hash", dataset.hash},
          {"train", dataset.train.count()}, {"validation", dataset.validation.count()},
          {"test", dataset.test.count()}};
}

template <class Member>
std::int64_t total(const std::vector<LayerResult>& layers, const Member& member) {
  std::int64_t sum = 0;
  for (const LayerResult& layer : layers) sum += std::invoke(member, layer);
  return sum;
}

// What a network without an integer form computes with.
void add_zeros(Json& json, const std::vector<LayerStatistics>& layers) {
  std::int64_t zeros = 0, weights = 0;
  for (const LayerStatistics& layer : layers) zeros += layer.zeros, weights += layer.shape.size();
  if (weights == 0) return;
  json["sparsity"] = static_cast<double>(zeros) / static_cast<double>(weights);
  json["sparsity_by_rounding"] =
      json["sparsity"].get<double>() - json["sparsity_by_mask"].get<double>();
}

// The keys that an integer form answers.
void add_integer(Json& json, const Network& network, const IntegerForm& form) {
  const std::vector<LayerResult> layers = layer_results(network, form);
  const auto weights = static_cast<double>(total(layers, &LayerResult::weights));
  json["accuracy"]["integer"] = form.accuracy;
  json["integer_from"] = form.post_training ? "post_training" : "trained";
  json["sparsity"] = static_cast<double>(total(layers, &LayerResult::zeros)) / weights;
  json["sparsity_by_rounding"] =
      json["sparsity"].get<double>() - json["sparsity_by_mask"].get<double>();
  json["bytes"]["model"] = form.bytes.size();
  json["effective_macs"] = total(layers, &LayerResult::effective_macs);
  json["bops"] = total(layers, &LayerResult::bops);
  json["latency_us"] = form.latency_us;
  const Verification& v = form.verification;
  json["integer_check"] = {
      {"images", v.images}, {"tensors", v.tensors}, {"codes", v.codes}, {"differing", v.differing}};
  json["raised_channels"] = form.final.raised_channels;
  json["raised_edges"] = form.final.raised_edges;
  PARE_ENSURE(layers.size() == json["layers"].size());
  for (std::size_t i = 0; i < layers.size(); ++i) add_integer(json["layers"][i], layers[i]);
}

// Every decision with its outcome: the validation images that the kept network lost against the one
// before, and whether all of the budget is kept.
Json auto_json(const RunConfig& run, const Trainer& trainer, const Json& result) {
  Json all = trainer.decisions();
  for (auto& [name, decision] : all.items()) {
    const BudgetConfig& budget = std::get<AutoConfig>(run.method(name).options).budget;
    const double lost = 100 * (decision["baseline"].get<double>() -
                               result["kept"]["validation"].get<double>());
    const Json &bytes = result["bytes"]["model"], &macs = result["effective_macs"];
    const bool met = (!budget.bytes || bytes <= *budget.bytes) &&
                     (!budget.macs || macs <= *budget.macs) &&
                     (!budget.loss_points || lost <= *budget.loss_points + 1e-9);
    decision["outcome"] = {{"bytes", bytes}, {"macs", macs}, {"lost_points", lost}, {"met", met}};
  }
  return all;
}

}  // namespace

std::vector<LayerResult> layer_results(const Network& network, const IntegerForm& form) {
  std::map<std::string, integer::LayerBytes> sizes;  // by the group's tail
  for (const integer::LayerBytes& layer : integer::coding_sizes(form.program))
    sizes[layer.name] = layer;
  std::vector<LayerResult> layers;
  for (const Group& group : find_groups(network)) {
    if (!dynamic_cast<const Weighted*>(network.node(group.head).module.get())) continue;
    LayerResult layer = layer_result(network, group, form.final.weights.at(group.head).weights);
    const integer::LayerBytes& size = sizes.at(group.tail());
    layer.coding = name_of(size.coding);
    layer.bytes = size.used();
    const auto time = form.step_us.find(group.tail());
    if (time != form.step_us.end()) layer.latency_us = time->second;
    layers.push_back(std::move(layer));
  }
  return layers;
}

Json result_json(const RunConfig& run, const Dataset& dataset, Trainer& trainer,
                 const Outcome& outcome, const std::vector<LayerStatistics>& layers,
                 double seconds, const integer::Program* whole) {
  const Network& network = trainer.network();
  const TrainingState& state = trainer.state();
  const EpochRow& kept = state.rows.at(trainer.kept());
  const std::int64_t all_parameters =
      build_network(run.model, dataset.train.shape, dataset.classes).parameter_count();
  Json json = {
      {"version", PARE_VERSION},
      {"name", run.name},
      {"seed", run.seed},
      {"dataset", dataset_json(run, dataset)},
      {"accuracy",
       {{"float", state.float_accuracy ? Json(*state.float_accuracy) : Json()},
        {"fake_quant", outcome.fake_quant},
        {"integer", nullptr}}},
      {"integer_from", nullptr},
      {"integer_refused", outcome.integer ? Json() : Json(run.integer_refusal())},
      {"kept",
       {{"epoch", kept.epoch}, {"phase", kept.phase}, {"validation", to_json(kept)["validation"]}}},
      {"sparsity", nullptr},
      {"sparsity_by_mask", masked_fraction(network)},
      {"sparsity_by_rounding", nullptr},
      {"pruning", pruning_json(run, dataset, network)},
      {"shrink", shrink_json(run, dataset, network, outcome, whole)},
      {"bytes",
       {{"float32", 4 * all_parameters},
        {"float16",
         2 * all_parameters},  // what storing halves would take; nothing computes in them
        {"model", nullptr}}},
      {"parameters", network.parameter_count()},
      {"macs", network.macs()},
      {"effective_macs", nullptr},
      {"bops", nullptr},
      {"latency_us", nullptr},
      {"seconds", seconds},
      {"integer_check", nullptr},
      {"raised_channels", nullptr},
      {"raised_edges", nullptr},
      {"layers", Json::array()},
      {"phases", phases_json(run, trainer)}};
  for (const LayerStatistics& layer : layers) json["layers"].push_back(layer_json(network, layer));
  if (outcome.integer)
    add_integer(json, network, *outcome.integer);
  else
    add_zeros(json, layers);
  if (!trainer.decisions().empty()) json["auto"] = auto_json(run, trainer, json);
  return json;
}

}  // namespace pare
