#include "layers/node_table.h"

#include <algorithm>

#include "framework/base/error.h"
#include "layers/activation.h"
#include "layers/batch_norm.h"
#include "layers/conv2d.h"
#include "layers/dense.h"
#include "layers/pool.h"
#include "layers/shape_layers.h"

namespace pare {
namespace {

template <class Layer>
NodeKind plain_kind_of(std::string name) {
  return plain_kind(std::move(name), [] { return std::make_unique<Layer>(); });
}

NodeTable make_table() {
  NodeTable table = {
      kind_with_options<Dense>("dense"),
      kind_with_options<Conv2d>("conv2d"),
      kind_with_options<DepthwiseConv2d>("depthwise_conv2d"),
      kind_with_options<BatchNorm>("batch_norm"),
      kind_with_options<MaxPool2d>("max_pool2d"),
      kind_with_options<AvgPool2d>("avg_pool2d"),
      plain_kind_of<GlobalAvgPool2d>("global_avg_pool2d"),
      plain_kind_of<Flatten>("flatten"),
      kind_with_options<Dropout>("dropout"),
      plain_kind_of<Add>("add"),
  };
  for (const ActivationKind& row : activation_kinds()) {
    table.push_back(
        plain_kind(std::string(row.name), [&row] { return make_activation(row.name); }));
  }
  return table;
}

}  // namespace

const NodeTable& node_kinds() {
  static const NodeTable table = make_table();
  return table;
}

const NodeKind& node_kind(const NodeTable& table, std::string_view name) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const NodeKind& row) { return row.name == name; });
  PARE_ENSURE(found != table.end());
  return *found;
}

}  // namespace pare
