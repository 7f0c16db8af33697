#include "compression/lower/final.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "compression/groups.h"
#include "compression/lower/final_weights.h"
#include "compression/lower/fixed_point.h"
#include "compression/quantize/activation_quantizer.h"

namespace pare {
namespace {

FinalEdge edge_from(const Network& network, const std::string& name) {
  const ActivationQuantizer* source = grid_source(network, name);
  if (!source)
    refuse_integers(name, "the values that leave it have no grid; quantize its activations");
  if (const std::string why = source->config().float_only(); !why.empty())
    refuse_integers(name, "activations." + why);
  if (!source->quantizer().ready())
    refuse_integers(name, "its quantizer has not seen any values; train or calibrate first");
  const Grid grid = source->quantizer().grid();
  return {grid.scales[0], grid.zero_points[0], grid.format.qmin(), grid.format.qmax(), grid.offset};
}

// A relu in front of an edge narrows its codes.
void clamp_edge(FinalEdge& edge, std::string_view activation) {
  if (activation.empty()) return;
  edge.code_min = std::max(edge.code_min, edge.zero_point);
  if (activation == "relu6") {
    const auto six = static_cast<std::int64_t>(std::round(6.0f / edge.scale));
    edge.code_max =
        static_cast<std::int32_t>(std::min<std::int64_t>(edge.code_max, edge.zero_point + six));
  }
}

std::int64_t largest_distance(const FinalEdge& edge) {
  return std::max(edge.code_max - edge.zero_point, edge.zero_point - edge.code_min);
}

// The operands are at most halved by their multipliers, and rounding adds one unit to each.
FinalAdd final_add(const FinalEdge& a, const FinalEdge& b, FinalEdge& out) {
  const double s_a = a.scale, s_b = b.scale;
  const double twice = 2 * std::max(s_a, s_b), product = twice / (1 << integer::kAddLeftShift);
  const std::int64_t bound =
      ((largest_distance(a) + largest_distance(b)) << (integer::kAddLeftShift - 1)) + 2;
  out.scale = fitting_scale(out.scale, product, bound);
  return {*fixed_point(s_a / twice), *fixed_point(s_b / twice),
          *fixed_point(product / static_cast<double>(out.scale))};
}

integer::Multiplier final_mean(const FinalEdge& in, FinalEdge& out, std::int64_t pixels) {
  const double scale = in.scale;
  out.scale = fitting_scale(out.scale, scale, pixels * largest_distance(in));
  return divide_by_count(*fixed_point(scale / static_cast<double>(out.scale)), pixels);
}

void add_group(const Network& network, const Group& group, FinalNetwork& final) {
  const NetworkNode& head = network.node(group.head);
  const auto input = [&](std::size_t i) {
    return final.edges.at(edge_of(network, head.inputs[i]));
  };
  FinalEdge out = edge_from(network, group.tail());
  const float wanted = out.scale;
  if (head.module->kind() == "add") {
    final.adds[group.head] = final_add(input(0), input(1), out);
  } else if (head.module->kind() == "global_avg_pool2d") {
    const Shape in = network.shape_of(head.inputs[0]);
    final.means[group.head] = final_mean(input(0), out, in[1] * in[2]);
  } else {
    final.weights[group.head] = final_weights(network, group, input(0), out, final.raised_channels);
  }
  final.raised_edges += out.scale != wanted;
  if (!group.activation.empty()) clamp_edge(out, network.node(group.activation).module->kind());
  final.edges[group.tail()] = out;
}

// An edge that shares its input's grid.
void add_shared(const Network& network, const NetworkNode& node, FinalNetwork& final) {
  FinalEdge edge = final.edges.at(edge_of(network, node.inputs[0]));
  const std::string_view kind = node.module->kind();
  if (kind == "relu" || kind == "relu6") clamp_edge(edge, kind);
  final.edges[node.name] = edge;
}

}  // namespace

FinalNetwork make_final(const Network& network, integer::Rounding rounding) {
  FinalNetwork final;
  final.rounding = rounding;
  final.edges[std::string(kInputNode)] = edge_from(network, std::string(kInputNode));
  std::map<std::string, const Group*> by_tail;
  std::map<std::string, std::string> inside;  // node -> head of its group
  const std::vector<Group> groups = find_groups(network);
  for (const Group& group : groups) {
    for (const std::string& name : {group.head, group.batch_norm, group.activation})
      inside[name] = group.head;
    by_tail[group.tail()] = &group;
  }
  for (const NetworkNode& node : network.nodes()) {
    const std::string_view kind = node.module->kind();
    if (const auto group = by_tail.find(node.name); group != by_tail.end()) {
      add_group(network, *group->second, final);
    } else if (inside.contains(node.name) || edge_of(network, node.name) != node.name) {
      continue;  // no edge of its own
    } else if (kind == "max_pool2d" || kind == "avg_pool2d" || kind == "flatten" ||
               kind == "relu" || kind == "relu6") {
      add_shared(network, node, final);
    } else {
      refuse_integers(node.name, fmt::format("{} has no integer form", kind));
    }
  }
  return final;
}

}  // namespace pare
