// The table of node kinds that a model may be made of: one row per kind, with the kind's own keys
// and how a module comes from them. Explicit: whoever adds kinds of its own (compression's inserted
// nodes) copies the table, appends rows and passes it on; nothing registers itself.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "framework/config/forward.h"
#include "layers/module.h"

namespace pare {

// One node's own keys, whatever its kind.
class NodeOptions {
 public:
  virtual ~NodeOptions() = default;
  virtual void describe(config::Object& o) = 0;
  // Decides about a bias where the keys leave it open.
  virtual void default_bias(bool /*bias*/) {}
  virtual std::unique_ptr<Module> build() const = 0;
};

struct NodeKind {
  std::string name;
  std::function<std::unique_ptr<NodeOptions>()> options;  // with the defaults
};
using NodeTable = std::vector<NodeKind>;

// The kinds of this folder.
const NodeTable& node_kinds();
// The row of that name, which must exist.
const NodeKind& node_kind(const NodeTable& table, std::string_view name);

namespace detail {

template <class Layer>
class OptionsOf final : public NodeOptions {
 public:
  void describe(config::Object& o) override { options_.describe(o); }
  void default_bias(bool bias) override {
    if constexpr (requires { options_.bias = bias; }) options_.bias = options_.bias.value_or(bias);
  }
  std::unique_ptr<Module> build() const override { return std::make_unique<Layer>(options_); }

 private:
  typename Layer::Options options_;
};

class NoOptions final : public NodeOptions {
 public:
  using Make = std::function<std::unique_ptr<Module>()>;
  explicit NoOptions(Make make) : make_(std::move(make)) {}
  void describe(config::Object&) override {}
  std::unique_ptr<Module> build() const override { return make_(); }

 private:
  Make make_;
};

}  // namespace detail

// A row for a Layer with a describable Layer::Options and a constructor from it.
template <class Layer>
NodeKind kind_with_options(std::string name) {
  return {std::move(name), [] { return std::make_unique<detail::OptionsOf<Layer>>(); }};
}

// A row for a kind without keys of its own.
inline NodeKind plain_kind(std::string name, detail::NoOptions::Make make) {
  return {std::move(name), [make] { return std::make_unique<detail::NoOptions>(make); }};
}

}  // namespace pare
