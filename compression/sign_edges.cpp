#include "compression/sign_edges.h"

#include <fmt/format.h>

#include "layers/conv2d.h"

namespace pare {
namespace {

bool is_padded(const Module& module) {
  const auto* conv = dynamic_cast<const Conv2d*>(&module);
  const auto* depthwise = dynamic_cast<const DepthwiseConv2d*>(&module);
  if (!conv && !depthwise) return false;
  const Window& w = conv ? conv->window() : depthwise->window();
  return w.pad_top + w.pad_left + w.pad_bottom + w.pad_right > 0;
}

// What reads the edge, through nodes that hand on its codes.
std::string fault_of_readers(const Network& network, const std::string& node) {
  for (const std::string& name : network.readers(node)) {
    const Module& reader = *network.node(name).module;
    const std::string_view kind = reader.kind();
    std::string fault;
    if (kind == "max_pool2d" || kind == "flatten" || kind == "dropout") {
      fault = fault_of_readers(network, name);
    } else if (is_padded(reader)) {
      fault =
          fmt::format("'{}' pads with 0, which is no sign; expected \"padding\": \"valid\"", name);
    } else if (kind != "conv2d" && kind != "depthwise_conv2d" && kind != "dense") {
      fault = fmt::format(
          "'{}' ({}) reads them; expected a convolution or a dense node behind signs, or another "
          "quantizer in 'overrides'",
          name, kind);
    }
    if (!fault.empty()) return fault;
  }
  return "";
}

}  // namespace

std::string sign_fault(const Network& network, const std::string& tail) {
  const std::string_view kind = network.node(tail).module->kind();
  if (kind == "relu" || kind == "relu6") {
    return fmt::format(
        "behind a {} every sign is +1; expected a batch_norm in its place, or another quantizer in "
        "'overrides'",
        kind);
  }
  return fault_of_readers(network, tail);
}

}  // namespace pare
