// Keeping the invariants of network.h: names are checked when a node comes in, inputs are looked up
// among the nodes before it, and every change of the list keeps readers behind what they read.
#include "layers/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/tensor/step_vector.h"
#include "layers/execution.h"

namespace pare {
namespace {

constexpr std::size_t kLongestName = 100;

bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= kLongestName &&
         std::all_of(name.begin(), name.end(), fits);
}

template <class Nodes>
auto position(Nodes& nodes, std::string_view name) {
  return std::find_if(nodes.begin(), nodes.end(),
                      [&](const NetworkNode& node) { return node.name == name; });
}

std::string title(const NetworkNode& node) {
  return fmt::format("[{}] node '{}': ", node.module->kind(), node.name);
}

// Shapes, parameters and paths of a node whose place in the list is decided.
void build(NetworkNode& node, std::span<const Shape> inputs) {
  node.module->set_name(node.name);
  try {
    node.shape = node.module->build(inputs);
  } catch (const ConfigError& error) {
    throw ConfigError(title(node) + error.what());
  }
  node.module->visit_parameters(
      [&](Parameter& parameter) { parameter.set_path(node.name + "." + parameter.role()); });
}

}  // namespace

Network::Network(const Shape& input_shape_of_one) : input_shape_(input_shape_of_one) {
  PARE_ENSURE(input_shape_.rank() >= 1 && input_shape_.rank() < Shape::kMaxRank);
}

void Network::check_new_name(const NetworkNode& node) const {
  if (!is_name(node.name)) {
    throw ConfigError(fmt::format("{}expected a name of 1 to {} letters, digits, '_' or '-'",
                                  title(node), kLongestName));
  }
  if (node.name == kInputNode) {
    throw ConfigError(title(node) + "'input' is the network's own input; choose another name");
  }
  if (find(node.name)) {
    throw ConfigError(title(node) + "the name is taken; names must differ");
  }
}

std::vector<Shape> Network::input_shapes(const NetworkNode& node) const {
  std::vector<Shape> shapes;
  for (const std::string& input : node.inputs) {
    if (input != kInputNode && !find(input)) {
      std::vector<std::string> names = {std::string(kInputNode)};
      for (const NetworkNode& other : nodes_) names.push_back(other.name);
      throw ConfigError(fmt::format("{}expected inputs among the nodes before it, got '{}'{}",
                                    title(node), input, suggestion(input, names)));
    }
    shapes.push_back(shape_of(input));
  }
  return shapes;
}

void Network::add(std::string name, std::vector<std::string> inputs,
                  std::unique_ptr<Module> module) {
  NetworkNode node{std::move(name), std::move(inputs), std::move(module), {}};
  check_new_name(node);
  build(node, input_shapes(node));
  nodes_.push_back(std::move(node));
}

void Network::insert_after(std::string_view after, std::string name,
                           std::unique_ptr<Module> module) {
  const std::string before(after);  // may be the name of a node that the list is about to move
  NetworkNode node{std::move(name), {before}, std::move(module), {}};
  check_new_name(node);
  const std::vector<Shape> inputs = input_shapes(node);
  build(node, inputs);
  PARE_ENSURE(node.shape == inputs[0]);  // the readers were built for it
  for (NetworkNode& reader : nodes_) {
    std::replace(reader.inputs.begin(), reader.inputs.end(), before, node.name);
  }
  const auto place = before == kInputNode ? nodes_.begin() : std::next(position(nodes_, before));
  nodes_.insert(place, std::move(node));
}

void Network::replace(std::string_view name, std::vector<NamedModule> chain) {
  const auto found = position(nodes_, name);
  PARE_ENSURE(found != nodes_.end() && found->inputs.size() == 1 && !chain.empty());
  const NetworkNode replaced = std::move(*found);
  auto place = nodes_.erase(found);
  std::string before = replaced.inputs[0];
  for (auto& [new_name, module] : chain) {
    NetworkNode node{std::move(new_name), {before}, std::move(module), {}};
    check_new_name(node);
    build(node, input_shapes(node));
    before = node.name;
    place = std::next(nodes_.insert(place, std::move(node)));
  }
  PARE_ENSURE(std::prev(place)->shape == replaced.shape);  // the readers were built for it
  for (NetworkNode& reader : nodes_) {
    std::replace(reader.inputs.begin(), reader.inputs.end(), replaced.name, before);
  }
}

void Network::remove(std::string_view name) {
  const auto found = position(nodes_, name);
  PARE_ENSURE(found != nodes_.end() && found->inputs.size() == 1);
  PARE_ENSURE(found->shape == shape_of(found->inputs[0]));  // the readers were built for it
  const bool was_output = std::next(found) == nodes_.end();
  const NetworkNode removed = std::move(*found);
  nodes_.erase(found);
  PARE_ENSURE(!was_output || (!nodes_.empty() && output() == removed.inputs[0]));
  for (NetworkNode& reader : nodes_) {
    std::replace(reader.inputs.begin(), reader.inputs.end(), removed.name, removed.inputs[0]);
  }
}

const NetworkNode* Network::find(std::string_view name) const {
  const auto found = position(nodes_, name);
  return found == nodes_.end() ? nullptr : &*found;
}

const NetworkNode& Network::node(std::string_view name) const {
  const NetworkNode* found = find(name);
  PARE_ENSURE(found != nullptr);
  return *found;
}

std::vector<std::string> Network::readers(std::string_view name) const {
  std::vector<std::string> names;
  for (const NetworkNode& node : nodes_) {
    if (std::find(node.inputs.begin(), node.inputs.end(), name) != node.inputs.end()) {
      names.push_back(node.name);
    }
  }
  return names;
}

Shape Network::shape_of(std::string_view name) const {
  if (name != kInputNode) return node(name).shape;
  Shape shape{1};
  for (int i = 0; i < input_shape_.rank(); ++i) shape.append(input_shape_[i]);
  return shape;
}

void Network::initialize(std::uint64_t seed) {
  for (NetworkNode& node : nodes_) node.module->initialize(seed);
}

Variable Network::forward(const Variable& x, const Pass& pass, const Tap& tap) {
  PARE_ENSURE(!nodes_.empty() && x.shape().without_batch() == input_shape_);
  StepVector<Variable> values(nodes_.size() + 1), inputs;
  values[0] = x;
  if (tap) tap(std::string(kInputNode), x);
  for (const ExecutionStep& step : tap ? plain_execution(nodes_) : fused_execution(nodes_)) {
    inputs.clear();
    for (const std::size_t input : step.inputs) inputs.push_back(values[input]);
    for (const std::size_t value : step.last_read) values[value] = Variable();
    values[step.output] = step.run(inputs, pass);
    if (tap) tap(nodes_[step.output - 1].name, values[step.output]);
  }
  PARE_ENSURE(values.back().shape() == nodes_.back().shape.with_batch(x.shape()[0]));
  return values.back();
}

void Network::visit_parameters(const ParameterVisitor& visit) const {
  for (const NetworkNode& node : nodes_) {
    node.module->visit_parameters(
        [&visit](Parameter& parameter) { parameter.visit_parameters(visit); });
  }
}

void Network::visit_state(StateVisitor& visitor) const {
  for (const NetworkNode& node : nodes_) {
    node.module->visit_parameters([&](Parameter& parameter) { parameter.visit_state(visitor); });
    node.module->visit_buffers(node.name, visitor);
  }
}

std::vector<Parameter*> Network::parameters() const {
  std::vector<Parameter*> all;
  for (const NetworkNode& node : nodes_) {
    node.module->visit_parameters([&](Parameter& parameter) { all.push_back(&parameter); });
  }
  return all;
}

void Network::release() {
  visit_parameters([](Parameter& parameter) { parameter.release(); });
}

nlohmann::ordered_json Network::to_json() const {
  auto list = nlohmann::ordered_json::array();
  for (const NetworkNode& node : nodes_) {
    nlohmann::ordered_json entry = {
        {"name", node.name}, {"kind", node.module->kind()}, {"inputs", node.inputs}};
    entry.update(node.module->to_json());
    list.push_back(std::move(entry));
  }
  return list;
}

std::int64_t Network::macs() const {
  std::int64_t sum = 0;
  for (const NetworkNode& node : nodes_) sum += node.module->macs();
  return sum;
}

std::int64_t Network::parameter_count() const {
  std::int64_t sum = 0;
  for (const Parameter* parameter : parameters()) sum += parameter->shape().size();
  return sum;
}

}  // namespace pare
