// Network: named nodes, each a module and the names of what it reads. A DAG as data: printing,
// saving, inserting nodes, removing channels and lowering are loops over nodes().
//
// Invariants: names are unique; a node reads only nodes before it in the list (or "input", the
// network's own input); the last node is the output. Every parameter's path is "<node>.<role>".
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "layers/module.h"

namespace pare {

inline constexpr std::string_view kInputNode = "input";

struct NetworkNode {
  std::string name;
  std::vector<std::string> inputs;  // names of nodes, or "input"
  std::unique_ptr<Module> module;
  Shape shape;  // of the output, batch extent 1
};

class Network {
 public:
  explicit Network(const Shape& input_shape_of_one);  // without batch: [28, 28, 1]
  Network(Network&&) = default;
  Network& operator=(Network&&) = default;

  // Appends a node; infers shapes, allocates parameters. Throws ConfigError that names the node.
  void add(std::string name, std::vector<std::string> inputs, std::unique_ptr<Module> module);
  // Puts a node that keeps the shape behind `after` ("input" allowed): every reader of `after`
  // reads the new node instead.
  void insert_after(std::string_view after, std::string name, std::unique_ptr<Module> module);
  // Puts a chain of nodes in the place of one with one input: the first reads what the node read,
  // the last, which keeps the node's shape, is read by its readers. Throws ConfigError where a name
  // is taken by another node.
  using NamedModule = std::pair<std::string, std::unique_ptr<Module>>;
  void replace(std::string_view name, std::vector<NamedModule> chain);
  // Takes a node with one input, whose shape it keeps, out again: its readers read its input.
  void remove(std::string_view name);

  const Shape& input_shape() const { return input_shape_; }  // of one image, without batch
  const std::vector<NetworkNode>& nodes() const { return nodes_; }
  const NetworkNode& node(std::string_view name) const;  // must exist
  const NetworkNode* find(std::string_view name) const;  // or null
  std::vector<std::string> readers(std::string_view name) const;
  const std::string& output() const { return nodes_.back().name; }
  // Shape of what `name` ("input" allowed) puts out for one image, batch extent 1.
  Shape shape_of(std::string_view name) const;

  void initialize(std::uint64_t seed);

  // x [B, ...]. Each node's output is dropped after its last reader; `tap`, where given, sees each
  // first (and "input").
  using Tap = std::function<void(const std::string& node, const Variable& value)>;
  Variable forward(const Variable& x, const Pass& pass, const Tap& tap = nullptr);

  void visit_parameters(const ParameterVisitor& visit) const;  // transforms' own included
  // Parameters, masks, quantizers, running statistics.
  void visit_state(StateVisitor& visitor) const;
  std::vector<Parameter*> parameters() const;  // without transforms' own
  // Drops every parameter's graph of the last pass.
  void release();

  // [{"name": .., "kind": .., "inputs": [..], keys..}, ..]: the model as a config would write it
  // (inserted nodes too).
  nlohmann::ordered_json to_json() const;
  std::int64_t macs() const;
  std::int64_t parameter_count() const;

 private:
  void check_new_name(const NetworkNode& node) const;
  std::vector<Shape> input_shapes(const NetworkNode& node) const;
  Shape input_shape_;
  std::vector<NetworkNode> nodes_;
};

}  // namespace pare
