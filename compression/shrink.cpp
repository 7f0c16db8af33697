// The smaller network is built from the description of the larger one with other numbers of filters
// and units; then every value of its state is gathered from the value of the same name.
#include "compression/shrink.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "compression/network_json.h"
#include "compression/prune/mask.h"
#include "compression/quantize/grid.h"
#include "framework/base/error.h"
#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/dense.h"

namespace pare {
namespace {

using Indices = std::vector<std::int64_t>;

// --- What can go.

const Mask* mask_of(const Parameter& parameter) {
  return dynamic_cast<const Mask*>(parameter.find(kMask));
}

// Marks in `alive` the units of all elements that are not masked; units[c] of channel c of `axis`.
void mark_kept(const Parameter& parameter, int axis, const std::vector<std::int32_t>& units,
               std::vector<std::uint8_t>& alive) {
  const Mask* mask = mask_of(parameter);
  const Shape& shape = parameter.shape();
  const std::int64_t inner = axis + 1 < shape.rank() ? shape.size_from(axis + 1) : 1;
  for (std::int64_t i = 0; i < shape.size(); ++i) {
    if (mask && !mask->keep()[static_cast<std::size_t>(i)]) continue;
    alive[static_cast<std::size_t>(units[static_cast<std::size_t>(i / inner % shape[axis])])] = 1;
  }
}

// Units that are not exactly zero by their masks.
std::vector<std::uint8_t> made(const Network& network, const Channels& channels,
                               const ChannelSpace& space) {
  std::vector<std::uint8_t> alive(static_cast<std::size_t>(space.units));
  for (const auto* nodes : {&space.makers, &space.followers}) {
    for (const std::string& node : *nodes) {
      network.node(node).module->visit_parameters([&](Parameter& parameter) {
        mark_kept(parameter, parameter.channel_axis(), channels.units_of(node), alive);
      });
    }
  }
  return alive;
}

// Units that somebody reads. All of them where a grouped convolution does.
std::vector<std::uint8_t> read(const Network& network, const Channels& channels,
                               const ChannelSpace& space) {
  std::vector<std::uint8_t> alive(static_cast<std::size_t>(space.units));
  for (const std::string& node : space.readers) {
    const NetworkNode& reader = network.node(node);
    const Parameter& weight = dynamic_cast<const Weighted&>(*reader.module).weight();
    const std::vector<std::int32_t>& units = channels.units_of(reader.inputs[0]);
    if (std::ssize(units) != weight.shape()[-1]) {
      std::fill(alive.begin(), alive.end(), 1);
    } else {
      mark_kept(weight, weight.shape().rank() - 1, units, alive);
    }
  }
  return alive;
}

// A grouped convolution that makes or reads the channels; "" where none does.
std::string grouped(const Network& network, const ChannelSpace& space) {
  for (const auto* nodes : {&space.makers, &space.readers}) {
    for (const std::string& node : *nodes) {
      const auto* conv = dynamic_cast<const Conv2d*>(network.node(node).module.get());
      if (conv && conv->groups() > 1) return node;
    }
  }
  return "";
}

// --- The smaller network.

Indices all_of(std::int64_t entries) {
  Indices indices;
  for (std::int64_t i = 0; i < entries; ++i) indices.push_back(i);
  return indices;
}

Indices kept_channels(const std::vector<std::int32_t>& units,
                      const std::vector<std::uint8_t>& kept) {
  Indices indices;
  for (std::size_t c = 0; c < units.size(); ++c) {
    if (kept[static_cast<std::size_t>(units[c])]) indices.push_back(static_cast<std::int64_t>(c));
  }
  return indices;
}

class Smaller {
 public:
  Smaller(const Network& network, const KeptUnits& kept)
      : network_(network), channels_(network), kept_(kept) {}

  nlohmann::ordered_json description() const {
    nlohmann::ordered_json json = describe_network(network_);
    for (nlohmann::ordered_json& node : json["nodes"]) {
      const auto name = node["name"].get<std::string>();
      const std::size_t channels = outputs(name).size();
      json["shapes"][name].back() = channels;
      for (const char* key : {"filters", "units"}) {
        if (node.contains(key)) node[key] = channels;
      }
    }
    return json;
  }

  // Channels of the node's output that stay.
  Indices outputs(const std::string& node) const {
    return kept_channels(channels_.units_of(node), kept_[channels_.space_of(node)]);
  }

  // Where the entries that stay of a value of the node's state lie in it. The value has the size of
  // the node's weight, or as many entries for every channel, or nothing to do with channels.
  Indices places(const std::string& node, std::int64_t entries) const {
    const NetworkNode& owner = network_.node(node);
    const auto* weighted = dynamic_cast<const Weighted*>(owner.module.get());
    if (weighted && weighted->weight().shape().size() == entries)
      return weight_places(owner, *weighted);
    const auto all = std::ssize(channels_.units_of(node));
    if (entries % all != 0) return all_of(entries);
    const std::int64_t each = entries / all;
    Indices places;
    for (const std::int64_t c : outputs(node)) {
      for (std::int64_t k = 0; k < each; ++k) places.push_back(c * each + k);
    }
    return places;
  }
  // Whether a value with so many entries has one for every weight or every channel.
  bool belongs_to_channels(const std::string& node, std::int64_t entries) const {
    const auto* weighted = dynamic_cast<const Weighted*>(network_.node(node).module.get());
    return (weighted && weighted->weight().shape().size() == entries) ||
           std::ssize(channels_.units_of(node)) == entries;
  }

 private:
  Indices weight_places(const NetworkNode& owner, const Weighted& weighted) const {
    const Shape& shape = weighted.weight().shape();
    std::vector<Indices> axes;
    for (int axis = 0; axis < shape.rank(); ++axis) {
      Indices& indices = axes.emplace_back();
      if (axis == weighted.weight().channel_axis()) {
        indices = outputs(owner.name);
      } else if (axis == shape.rank() - 1 && shape[axis] == inputs_of(owner)) {
        indices = outputs(owner.inputs[0]);
      } else {
        indices = all_of(shape[axis]);
      }
    }
    Indices places = {0};
    for (int axis = 0; axis < shape.rank(); ++axis) {
      Indices finer;
      for (const std::int64_t place : places) {
        for (const std::int64_t i : axes[static_cast<std::size_t>(axis)])
          finer.push_back(place * shape[axis] + i);
      }
      places = std::move(finer);
    }
    return places;
  }

  std::int64_t inputs_of(const NetworkNode& owner) const {
    return std::ssize(channels_.units_of(owner.inputs[0]));
  }

  const Network& network_;
  Channels channels_;
  const KeptUnits& kept_;
};

// --- State.

// Copies of all values by name.
class Values final : public StateVisitor {
 public:
  void tensor(const std::string& name, Tensor& value) override {
    if (value.defined()) tensors[name] = value;
  }
  void bytes(const std::string& name, std::vector<std::uint8_t>& value) override {
    byte_lists[name] = value;
  }
  void integer(const std::string& name, std::int64_t& value) override { integers[name] = value; }
  void real(const std::string& name, double& value) override { reals[name] = value; }

  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::vector<std::uint8_t>> byte_lists;
  std::map<std::string, std::int64_t> integers;
  std::map<std::string, double> reals;
};

class Gather final : public StateVisitor {
 public:
  Gather(const Values& from, const Smaller& smaller) : from_(from), smaller_(smaller) {}

  void tensor(const std::string& name, Tensor& value) override {
    const auto found = from_.tensors.find(name);
    if (found == from_.tensors.end()) return;
    const Tensor& old = found->second;
    if (value.defined() && value.shape() == old.shape()) {
      value = old.clone();
      return;
    }
    std::vector<float> values;
    for (const std::int64_t place : smaller_.places(owner(name), old.size()))
      values.push_back(old.data()[place]);
    PARE_ENSURE(value.defined() && value.size() == std::ssize(values));
    value = Tensor::from(value.shape(), values);
  }
  // Masks have a byte per entry, observed ranges sizeof(Range); these are empty in a new network.
  void bytes(const std::string& name, std::vector<std::uint8_t>& value) override {
    const std::vector<std::uint8_t>& old = from_.byte_lists.at(name);
    const std::int64_t width = name.ends_with("/range") ? std::int64_t{sizeof(Range)} : 1;
    const std::int64_t entries = std::ssize(old) / width;
    const std::string node = owner(name);
    const Indices places = smaller_.belongs_to_channels(node, entries)
                               ? smaller_.places(node, entries)
                               : all_of(entries);
    value.clear();
    for (const std::int64_t place : places) {
      const auto first = old.begin() + static_cast<std::ptrdiff_t>(place * width);
      value.insert(value.end(), first, first + static_cast<std::ptrdiff_t>(width));
    }
  }
  void integer(const std::string& name, std::int64_t& value) override {
    value = from_.integers.at(name);
  }
  void real(const std::string& name, double& value) override { value = from_.reals.at(name); }

 private:
  // "conv1" of "conv1.weight/mask" and of "conv1/range".
  static std::string owner(const std::string& name) {
    return name.substr(0, name.find_first_of("./"));
  }

  const Values& from_;
  const Smaller& smaller_;
};

}  // namespace

Shrinkable find_shrinkable(const Network& network) {
  const Channels channels(network);
  Shrinkable result;
  for (const ChannelSpace& space : channels.spaces()) {
    const auto units = static_cast<std::size_t>(space.units);
    std::vector<std::uint8_t>& kept = result.kept.emplace_back(units, 1);
    if (space.input || space.output) continue;
    const std::vector<std::uint8_t> alive = made(network, channels, space);
    const std::vector<std::uint8_t> wanted = read(network, channels, space);
    for (std::size_t u = 0; u < units; ++u) kept[u] = alive[u] && wanted[u];
    if (std::count(kept.begin(), kept.end(), 1) == 0) kept[0] = 1;
    const std::int64_t removed = std::count(kept.begin(), kept.end(), 0);
    if (const std::string node = grouped(network, space); removed > 0 && !node.empty()) {
      std::fill(kept.begin(), kept.end(), 1);
      result.whole.push_back(fmt::format("'{}' has groups, whose channels go together", node));
    } else {
      result.removed += removed;
    }
  }
  return result;
}

Network without_units(Network& network, const KeptUnits& kept) {
  const Smaller smaller(network, kept);
  Values values;
  network.release();
  network.visit_state(values);
  Network result = rebuild_network(smaller.description());
  Gather gather(values, smaller);
  result.visit_state(gather);
  return result;
}

}  // namespace pare
