// The rows of op_table.h put together, and the test that no op of the sources is without one.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "tests/framework/rows_losses.h"
#include "tests/framework/rows_pointwise.h"
#include "tests/framework/rows_windows.h"

namespace pare::testing {

const std::vector<OpRow>& op_table() {
  static const std::vector<OpRow> table = {
      dense_row(),
      conv_row(),
      conv_pool_row(),
      depthwise_row(),
      pool_row("max_pool2d"),
      pool_row("average_pool2d"),
      pool_row("global_average_pool2d"),
      batch_norm_row("batch_norm_train", true),
      batch_norm_row("batch_norm_fixed", false),
      activation_row<reference::Relu>("relu", relu),
      activation_row<reference::Relu6>("relu6", relu6),
      activation_row<reference::Sigmoid>("sigmoid", sigmoid),
      activation_row<reference::Tanh>("tanh", tanh),
      shape_row("softmax", softmax_case),
      shape_row("add", add_case),
      shape_row("weighted_sum", weighted_sum_case),
      rectified_row("add_relu", add_relu_case),
      shape_row("flatten", flatten_case),
      shape_row("dropout", dropout_case),
      loss_row("softmax_cross_entropy"),
      loss_row("mean_squared_error"),
      loss_row("distillation_loss"),
  };
  return table;
}

namespace {

// Ops without a derivative to check, with what they declare in its place.
const std::map<std::string, std::string>& declared_surrogates() {
  static const std::map<std::string, std::string> ops = {
      {"tap", "the identity; keeps a copy of the gradient"},
      {"mask", "straight-through or masked, as the mask's settings say"},
      {"fake_quantize", "straight-through inside the grid's range, zero outside"},
      {"fake_quantize_rounded", "as fake_quantize, whatever rounds"},
      {"learned_range", "straight-through inside the bounds; the size's own by its paper"},
      {"straight_through", "dy times a factor inside and one outside of a range"},
      {"ttq_weights", "dy times the scale of each zone; the scales' own by the paper"},
      {"codebook_weights", "centroids get the sums of their members; others straight-through"},
      {"error_penalty", "the identity, and 2 lambda (x - q(x)) for x"},
      {"soft_rounding", "of the choice alone, within the codes"},
      {"reconstruction", "a squared distance; its value is not used"},
      {"dorefa_weights", "straight-through behind tanh"},
      {"given_gradient", "of benchmarks: hands on a gradient that was made before"},
      {"average_codes", "straight-through: the rounding of an average"},
  };
  return ops;
}

// The names that a source passes to record() as string literals.
void collect_names(const std::string& code, std::set<std::string>& names) {
  const std::string call = "record(";
  for (std::size_t at = code.find(call); at != std::string::npos; at = code.find(call, at + 1)) {
    const std::size_t quote = code.find_first_not_of(" \n", at + call.size());
    if (quote == std::string::npos || code[quote] != '"') continue;
    names.insert(code.substr(quote + 1, code.find('"', quote + 1) - quote - 1));
  }
}

// Every op that our sources record.
std::set<std::string> recorded_ops() {
  namespace fs = std::filesystem;
  std::set<std::string> names;
  for (const char* folder : {"framework", "layers", "compression", "optim", "apps"}) {
    const fs::path root = fs::path(PARE_SOURCE_DIR) / folder;
    if (!fs::exists(root)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.path().extension() != ".cpp" && entry.path().extension() != ".h") continue;
      std::stringstream source;
      source << std::ifstream(entry.path()).rdbuf();
      collect_names(source.str(), names);
    }
  }
  return names;
}

}  // namespace

TEST_CASE("every recorded op has a row in the table, and every row is a recorded op") {
  std::set<std::string> rows;
  for (const OpRow& row : op_table()) {
    CHECK_MESSAGE(rows.insert(row.op).second, row.op, " has two rows");
    CHECK_MESSAGE(row.small.size() >= 12, row.op);
  }
  const std::set<std::string> recorded = recorded_ops();
  CHECK(recorded.size() >= rows.size());
  for (const std::string& op : recorded) {
    CHECK_MESSAGE((rows.count(op) || declared_surrogates().count(op)), "no gradient check for op ",
                  op);
  }
  for (const std::string& op : rows) CHECK_MESSAGE(recorded.count(op), "no source records ", op);
}

}  // namespace pare::testing
