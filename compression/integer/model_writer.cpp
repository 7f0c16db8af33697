// The writer of model.pare. Its functions stand in the order of docs/model-format.md, as those of
// model_reader.cpp do, so that one file can be checked against the other, field by field.
#include <algorithm>
#include <string_view>
#include <utility>

#include "compression/integer/coding.h"
#include "compression/integer/compact.h"
#include "compression/integer/model_file.h"
#include "compression/integer/validate.h"
#include "framework/base/crc32.h"
#include "framework/base/file.h"

namespace pare::integer {
namespace {

// A writer that remembers where its pieces end.
class SectionWriter : public ByteWriter {
 public:
  // All that was written since the last end.
  void end(const std::string& operation, const std::string& part) {
    const std::uint64_t size = result().size();
    if (size > begun_) sections_.push_back({operation, part, size - begun_});
    begun_ = size;
  }
  std::vector<Section> take() { return std::move(sections_); }

 private:
  std::vector<Section> sections_;
  std::uint64_t begun_ = 0;
};

void write_tensor(ByteWriter& writer, const Tensor& t) {
  write_text(writer, t.name);
  write_unsigned(writer, t.height);
  write_unsigned(writer, t.width);
  write_unsigned(writer, t.channels);
  write_signed(writer, t.zero_point);
  write_signed(writer, t.code_min);
  write_signed(writer, t.code_max);
  writer.u32(t.scale_bits);
}

void write_window(ByteWriter& writer, const Window& w) {
  for (const std::int32_t field : {w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.pad_top,
                                   w.pad_left, w.pad_bottom, w.pad_right}) {
    write_unsigned(writer, field);
  }
}

void write_multiplier(ByteWriter& writer, Multiplier m) {
  writer.i32(m.value);
  writer.u8(static_cast<std::uint8_t>(m.shift));
}

// The smallest coding; the first among equals.
struct Coded {
  LayerBytes sizes;
  std::vector<std::byte> bytes;
};

Coded smallest_coding(const std::string& name, const Weights& weights, const WeightLayout& layout) {
  Coded best{{name, Coding::packed, {}}, {}};
  for (const Coding coding : kCodings) {
    std::vector<std::byte> bytes = encode_codes(coding, weights, layout);
    best.sizes.bytes[static_cast<std::size_t>(coding)] = bytes.size();
    if (coding != Coding::packed && bytes.size() >= best.bytes.size()) continue;
    best.sizes.coding = coding;
    best.bytes = std::move(bytes);
  }
  return best;
}

// Of every operation with weights, in their order.
std::vector<Coded> code_weights(const Program& program) {
  std::vector<Coded> result;
  const auto add_layer = [&](const auto& op) {
    if constexpr (requires { op.weights; }) {
      const Tensor& output = program.tensors[op.output];
      const WeightLayout layout = weight_layout(op, program.tensors[op.input], output);
      result.push_back(smallest_coding(output.name, op.weights, layout));
    }
  };
  for (const Operation& operation : program.operations) std::visit(add_layer, operation);
  return result;
}

// The first version that has all that the file needs, so that older readers read what they can.
std::uint32_t version_of(const Program& program, const std::vector<Coded>& layers) {
  std::uint32_t version = 1;
  for (const Coded& layer : layers) version = std::max(version, first_version(layer.sizes.coding));
  const auto has_fractions = [](const auto& op) {
    if constexpr (requires { op.channels; }) return op.channels.fraction_bits > 0;
    return false;
  };
  for (const Operation& operation : program.operations) {
    if (std::visit(has_fractions, operation)) version = std::max(version, kFractionBits);
  }
  return version;
}

void write_weights(SectionWriter& writer, const Weights& weights, const Coded& coded) {
  const std::string& name = coded.sizes.name;
  writer.u8(static_cast<std::uint8_t>(weights.bits));
  writer.u8(weights.affine ? 1 : 0);
  if (weights.affine) {
    write_unsigned(writer, static_cast<std::uint32_t>(weights.zero_points.size()));
    for (const std::int32_t z : weights.zero_points) write_signed(writer, z);
  }
  write_unsigned(writer, static_cast<std::uint32_t>(weights.scale_bits.size()));
  for (const std::uint32_t bits : weights.scale_bits) writer.u32(bits);
  writer.end(name, "scales");
  writer.u8(static_cast<std::uint8_t>(coded.sizes.coding));
  write_unsigned(writer, static_cast<std::uint32_t>(coded.bytes.size()));
  writer.bytes(coded.bytes);
  writer.end(name, "codes");
}

void write_channels(ByteWriter& writer, std::uint32_t version, const Channels& channels) {
  if (version >= kFractionBits) writer.u8(static_cast<std::uint8_t>(channels.fraction_bits));
  for (const std::int32_t bias : channels.bias) write_signed(writer, bias);
  for (const Multiplier m : channels.multipliers) write_multiplier(writer, m);
  writer.u8(channels.negate.empty() ? 0 : 1);
  std::vector<std::uint8_t> signs((channels.negate.size() + 7) / 8, 0);
  for (std::size_t c = 0; c < channels.negate.size(); ++c)
    signs[c / 8] |= channels.negate[c] << (c % 8);
  writer.bytes(std::as_bytes(std::span(signs)));
}

struct OperationWriter {
  SectionWriter& writer;
  std::uint32_t version;
  std::vector<Coded>::const_iterator& next;  // weights that are not written yet

  template <class Layer>
  void layer(const Layer& op) const {
    const Coded& coded = *next++;
    writer.end(coded.sizes.name, "operation");
    write_weights(writer, op.weights, coded);
    write_channels(writer, version, op.channels);
    writer.end(coded.sizes.name, "biases and multipliers");
  }

  void operator()(const Conv2d& op) const {
    write_window(writer, op.window);
    write_unsigned(writer, op.groups);
    layer(op);
  }
  void operator()(const DepthwiseConv2d& op) const {
    write_window(writer, op.window);
    layer(op);
  }
  void operator()(const Dense& op) const { layer(op); }
  void operator()(const MaxPool2d& op) const { write_window(writer, op.window); }
  void operator()(const AveragePool2d& op) const { write_window(writer, op.window); }
  void operator()(const GlobalAverage& op) const { write_multiplier(writer, op.multiplier); }
  void operator()(const Add& op) const {
    for (const Multiplier m : {op.scale_a, op.scale_b, op.scale_output})
      write_multiplier(writer, m);
  }
  void operator()(const Clamp&) const {}
  void operator()(const Reshape&) const {}
};

void write_operation(SectionWriter& writer, std::uint32_t version, const Program& program,
                     const Operation& operation, std::vector<Coded>::const_iterator& next) {
  writer.u8(static_cast<std::uint8_t>(operation.index()));
  for (const std::int32_t t : inputs_of(operation)) write_unsigned(writer, t);
  write_unsigned(writer, output_of(operation));
  std::visit(OperationWriter{writer, version, next}, operation);
  writer.end(program.tensors[output_of(operation)].name, "operation");
}

void write_model(SectionWriter& writer, const Program& program) {
  const std::vector<Coded> layers = code_weights(program);
  const std::uint32_t version = version_of(program, layers);
  writer.text(kModelMagic);
  writer.u32(version);
  writer.u8(static_cast<std::uint8_t>(program.rounding));
  write_text(writer, program.name);
  write_unsigned(writer, static_cast<std::uint32_t>(program.tensors.size()));
  write_unsigned(writer, program.input);
  write_unsigned(writer, program.output);
  writer.end("", "header");
  for (const Tensor& t : program.tensors) write_tensor(writer, t);
  writer.end("", "tensors");
  write_unsigned(writer, static_cast<std::uint32_t>(program.pixel_codes.size()));
  for (const auto& table : program.pixel_codes) writer.bytes(std::as_bytes(std::span(table)));
  writer.end("", "pixel tables");
  write_unsigned(writer, static_cast<std::uint32_t>(program.operations.size()));
  writer.end("", "number of operations");
  auto next = layers.begin();
  for (const Operation& operation : program.operations) {
    write_operation(writer, version, program, operation, next);
  }
  writer.u32(crc32(writer.result()));
  writer.end("", "checksum");
}

}  // namespace

const char* name_of(Coding coding) {
  switch (coding) {
    case Coding::packed:
      return "packed";
    case Coding::bitmap:
      return "bitmap";
    case Coding::arithmetic:
      return "arithmetic";
    case Coding::relative_index:
      return "relative_index";
    case Coding::huffman:
      return "huffman";
  }
  return "";
}

std::vector<std::byte> encode_model(const Program& program) {
  validate(program);
  SectionWriter writer;
  write_model(writer, program);
  return writer.result();
}

std::vector<Section> model_sections(const Program& program) {
  validate(program);
  SectionWriter writer;
  write_model(writer, program);
  return writer.take();
}

std::vector<LayerBytes> coding_sizes(const Program& program) {
  validate(program);
  std::vector<LayerBytes> result;
  for (Coded& layer : code_weights(program)) result.push_back(std::move(layer.sizes));
  return result;
}

void save_model(const Program& program, const std::string& path) {
  write_file_atomically(path, encode_model(program));
}

}  // namespace pare::integer
