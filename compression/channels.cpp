// Every channel that a maker makes is an atom; adds unite atoms (union by smallest number, so that
// the result does not depend on the order of visits), and what is united is one unit.
#include "compression/channels.h"

#include <algorithm>
#include <map>

#include "framework/base/error.h"
#include "layers/conv2d.h"
#include "layers/dense.h"

namespace pare {
namespace {

class Sets {
 public:
  std::int32_t make() {
    parent_.push_back(static_cast<std::int32_t>(parent_.size()));
    return parent_.back();
  }
  std::int32_t find(std::int32_t x) {
    while (parent(x) != x) x = parent(x) = parent(parent(x));
    return x;
  }
  void unite(std::int32_t a, std::int32_t b) {
    a = find(a);
    b = find(b);
    parent(std::max(a, b)) = std::min(a, b);
  }

 private:
  std::int32_t& parent(std::int32_t x) { return parent_[static_cast<std::size_t>(x)]; }
  std::vector<std::int32_t> parent_;
};

bool makes_channels(const Module& module) {
  return dynamic_cast<const Conv2d*>(&module) || dynamic_cast<const Dense*>(&module);
}

// What is known of a value while the atoms are still being united.
struct Value {
  std::int32_t source = 0;          // set of makers
  std::vector<std::int32_t> atoms;  // of each channel
};

class Builder {
 public:
  explicit Builder(const Network& network) {
    values_[std::string(kInputNode)] = made(network.shape_of(kInputNode)[-1]);
    for (const NetworkNode& node : network.nodes()) values_[node.name] = value_of(node);
  }

  Value& value(const std::string& node) { return values_.at(node); }
  Sets sources, atoms;

 private:
  Value made(std::int64_t channels) {
    Value value{.source = sources.make(), .atoms = {}};
    for (std::int64_t c = 0; c < channels; ++c) value.atoms.push_back(atoms.make());
    return value;
  }

  Value value_of(const NetworkNode& node) {
    if (makes_channels(*node.module)) return made(node.shape[-1]);
    const Value& input = values_.at(node.inputs[0]);
    for (std::size_t i = 1; i < node.inputs.size(); ++i) unite(input, values_.at(node.inputs[i]));
    return {.source = input.source, .atoms = handed_on(node, input.atoms)};
  }

  void unite(const Value& a, const Value& b) {
    sources.unite(a.source, b.source);
    for (std::size_t c = 0; c < a.atoms.size(); ++c) atoms.unite(a.atoms[c], b.atoms[c]);
  }

  static std::vector<std::int32_t> handed_on(const NetworkNode& node,
                                             const std::vector<std::int32_t>& in) {
    const auto channels = static_cast<std::size_t>(node.shape[-1]);
    const auto* depthwise = dynamic_cast<const DepthwiseConv2d*>(node.module.get());
    const std::size_t each = depthwise ? static_cast<std::size_t>(depthwise->multiplier()) : 1;
    PARE_ENSURE(channels % in.size() == 0);  // flatten repeats them, the channel runs fastest
    std::vector<std::int32_t> out(channels);
    for (std::size_t c = 0; c < channels; ++c) out[c] = in[c / each % in.size()];
    return out;
  }

  std::map<std::string, Value> values_;
};

}  // namespace

Channels::Channels(const Network& network) {
  Builder builder(network);
  std::map<std::int32_t, std::size_t> space_of_source;
  std::map<std::int32_t, std::int32_t> unit_of_atom;
  const auto add = [&](const std::string& node) {
    Value& value = builder.value(node);
    const auto [place, is_new] =
        space_of_source.try_emplace(builder.sources.find(value.source), spaces_.size());
    if (is_new) spaces_.emplace_back();
    ChannelSpace& space = spaces_[place->second];
    Entry entry{.node = node, .space = place->second, .units = {}};
    for (const std::int32_t atom : value.atoms) {
      const auto [unit, fresh] = unit_of_atom.try_emplace(builder.atoms.find(atom),
                                                          static_cast<std::int32_t>(space.units));
      if (fresh) ++space.units;
      entry.units.push_back(unit->second);
    }
    entries_.push_back(std::move(entry));
    return place->second;
  };
  spaces_[add(std::string(kInputNode))].input = true;
  for (const NetworkNode& node : network.nodes()) {
    const std::size_t space = add(node.name);
    const bool maker = makes_channels(*node.module);
    (maker ? spaces_[space].makers : spaces_[space].followers).push_back(node.name);
    if (maker) spaces_[space_of(node.inputs[0])].readers.push_back(node.name);
  }
  spaces_[space_of(network.output())].output = true;
}

const Channels::Entry& Channels::entry(std::string_view node) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& e) { return e.node == node; });
  PARE_ENSURE(found != entries_.end());
  return *found;
}

}  // namespace pare
