#include "apps/lib/inspect/documents.h"

#include <algorithm>
#include <filesystem>
#include <optional>

#include "apps/lib/run_config.h"
#include "compression/integer/engine.h"
#include "compression/integer/model_file.h"
#include "compression/integer/operations.h"
#include "compression/network_json.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/config/config.h"
#include "framework/config/parse_json.h"
#include "framework/io/hdf5_image.h"

namespace pare {
namespace {

namespace fs = std::filesystem;
using config::Json;

constexpr std::uint64_t kLargestResult = 1 << 24;

Json extents(const Shape& shape) {
  Json list = Json::array();
  for (int axis = 0; axis < shape.rank(); ++axis) list.push_back(shape[axis]);
  return list;
}

Json network_json(const Network& network) {
  Json nodes = Json::array();
  for (const NetworkNode& node : network.nodes()) {
    std::int64_t parameters = 0;
    node.module->visit_parameters([&](Parameter& p) { parameters += p.shape().size(); });
    nodes.push_back({{"name", node.name},
                     {"kind", node.module->kind()},
                     {"inputs", node.inputs},
                     {"shape", extents(node.shape.without_batch())},
                     {"parameters", parameters},
                     {"macs", node.module->macs()}});
  }
  return {{"input", extents(network.input_shape())},
          {"nodes", std::move(nodes)},
          {"parameters", network.parameter_count()},
          {"macs", network.macs()}};
}

struct KnownImages {
  Shape shape;
  int classes;
};

// What the data sets of a fixed form hold; a user's own are known once they are read.
std::optional<KnownImages> known_images(const std::string& kind) {
  if (kind == "cifar10") return KnownImages{{32, 32, 3}, 10};
  if (kind == "cifar100") return KnownImages{{32, 32, 3}, 100};
  for (const char* like_mnist : {"mnist", "fashion_mnist", "kmnist", "digits"}) {
    if (kind == like_mnist) return KnownImages{{28, 28, 1}, 10};
  }
  return std::nullopt;
}

const char* name_of(ElementType type) {
  switch (type) {
    case ElementType::float32:
      return "float32";
    case ElementType::float64:
      return "float64";
    case ElementType::int64:
      return "int64";
    case ElementType::int32:
      return "int32";
    case ElementType::uint8:
      return "uint8";
  }
  return "";
}

// One operation with weights: its codes, and what each coding would take.
template <class Layer>
void add_weights(Json& json, const Layer& op, const integer::Program& program,
                 const integer::LayerBytes& sizes, std::int64_t macs) {
  const integer::WeightLayout layout =
      weight_layout(op, program.tensors[static_cast<std::size_t>(op.input)],
                    program.tensors[static_cast<std::size_t>(op.output)]);
  std::int64_t zeros = 0;
  for (std::int64_t i = 0; i < layout.count(); ++i) {
    zeros +=
        op.weights.codes[static_cast<std::size_t>(i)] == zero_point(op.weights, layout.channel(i));
  }
  json["weights"] = layout.count();
  json["zeros"] = zeros;
  json["bits"] = op.weights.bits;
  json["scales"] = op.weights.scale_bits.size();
  json["macs"] = macs;
  json["coding"] = name_of(sizes.coding);
  for (const integer::Coding coding : integer::kCodings) {
    json["code_bytes"][name_of(coding)] = sizes.bytes[static_cast<std::size_t>(coding)];
  }
}

Json operations_json(const integer::Program& program) {
  const std::vector<integer::LayerBytes> sizes = integer::coding_sizes(program);
  auto next = sizes.begin();
  Json list = Json::array();
  for (const integer::Operation& operation : program.operations) {
    const integer::Tensor& out = program.tensors[static_cast<std::size_t>(output_of(operation))];
    Json json = {{"kind", kind_of(operation)},
                 {"output", out.name},
                 {"shape", {out.height, out.width, out.channels}}};
    std::visit(
        [&](const auto& op) {
          if constexpr (requires { op.weights; })
            add_weights(json, op, program, *next++, macs_of(program, operation));
        },
        operation);
    list.push_back(std::move(json));
  }
  return list;
}

Json files_json(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(folder, ignored)) {
    if (entry.is_regular_file(ignored))
      names.push_back(fs::relative(entry.path(), folder).string());
  }
  std::sort(names.begin(), names.end());
  Json files = Json::array();
  for (const std::string& name : names) {
    files.push_back({{"name", name}, {"bytes", fs::file_size(folder + "/" + name, ignored)}});
  }
  return files;
}

Json read_json(const std::string& path) {
  if (!fs::exists(path)) return nullptr;
  const std::vector<std::byte> bytes = read_file(path, kLargestResult);
  const char* text = reinterpret_cast<const char*>(bytes.data());
  return config::parse_json({text, bytes.size()}, path);
}

}  // namespace

Json config_document(const std::string& path) {
  const RunConfig run = load_run_config(path);
  Json json = {
      {"what", "config"}, {"path", path}, {"config", config::write(run)}, {"network", nullptr}};
  if (const auto images = known_images(run.dataset.kind)) {
    json["network"] = network_json(build_network(run.model, images->shape, images->classes));
  }
  return json;
}

Json checkpoint_document(const std::string& path) {
  const Checkpoint checkpoint = load_checkpoint(path);
  const RunConfig run = run_config_of(checkpoint, path);
  const Network network = network_of(checkpoint, path);
  const TrainingState& s = checkpoint.state;
  Json arrays = Json::array();
  for (const NamedArray& array : checkpoint.arrays) {
    arrays.push_back({{"name", array.name},
                      {"type", name_of(array.type)},
                      {"shape", array.shape},
                      {"bytes", array.bytes.size()}});
  }
  const bool over = s.phase >= run.phases.size();
  const EpochRow row = s.rows.empty() ? EpochRow() : s.rows.back();
  return {{"what", "checkpoint"},
          {"path", path},
          {"name", run.name},
          {"phase", over ? Json() : Json(run.phases[s.phase].name)},
          {"epoch", row.epoch},
          {"run_step", s.run_step},
          {"accuracy",
           {{"float", s.float_accuracy ? Json(*s.float_accuracy) : Json()},
            {"validation", row.validation ? Json(*row.validation) : Json()}}},
          {"sparsity", row.sparsity},
          {"status", row.status},
          {"network", network_json(network)},
          {"chains", describe_network(network)["chains"]},
          {"arrays", std::move(arrays)},
          {"bytes", fs::file_size(path)}};
}

Json model_document(const std::string& path) {
  const integer::Program program = integer::load_model(path);
  Json sections = Json::array();
  for (const integer::Section& section : integer::model_sections(program)) {
    sections.push_back(
        {{"operation", section.operation}, {"part", section.part}, {"bytes", section.bytes}});
  }
  const integer::Tensor& input = program.tensors[static_cast<std::size_t>(program.input)];
  return {{"what", "model"},
          {"path", path},
          {"name", program.name},
          {"rounding", program.rounding == integer::Rounding::twice ? "double" : "single"},
          {"input", {input.height, input.width, input.channels}},
          {"pixel_tables", program.pixel_codes.size()},
          {"operations", operations_json(program)},
          {"sections", std::move(sections)},
          {"bytes", fs::file_size(path)},
          {"arena", integer::Engine(program).arena_bytes()}};
}

Json run_document(const std::string& folder) {
  Json json = {{"what", "run"},
               {"path", folder},
               {"config", config::write(load_run_config(folder + "/config.json"))},
               {"result", read_json(folder + "/result.json")},
               {"checkpoints", Json::array()},
               {"files", files_json(folder)}};
  for (const char* name : {"last.h5", "best.h5"}) {
    const std::string path = folder + "/checkpoints/" + name;
    if (!fs::exists(path)) continue;
    Json checkpoint = checkpoint_document(path);
    for (const char* key : {"arrays", "chains"}) checkpoint.erase(key);
    json["checkpoints"].push_back(std::move(checkpoint));
  }
  return json;
}

Json document_of(const Artifact& artifact) {
  switch (artifact.kind) {
    case ArtifactKind::run:
      return run_document(artifact.path);
    case ArtifactKind::config:
      return config_document(artifact.path);
    case ArtifactKind::checkpoint:
      return checkpoint_document(artifact.path);
    case ArtifactKind::model:
      return model_document(artifact.path);
  }
  return nullptr;
}

}  // namespace pare
