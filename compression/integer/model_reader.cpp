// The reader of model.pare, for bytes that may be damaged or hostile. It allocates nothing whose
// size has not been checked: the checksum first, then shapes, then weights, and only where the
// shapes are sane. The mirror image of model_writer.cpp.
#include <algorithm>
#include <string_view>
#include <type_traits>
#include <utility>

#include "compression/integer/coding.h"
#include "compression/integer/compact.h"
#include "compression/integer/geometry.h"
#include "compression/integer/model_file.h"
#include "compression/integer/validate.h"
#include "framework/base/crc32.h"
#include "framework/base/error.h"
#include "framework/base/file.h"

namespace pare::integer {
namespace {

constexpr std::size_t kCrcBytes = 4;
constexpr std::uint64_t kMaxModelBytes = std::uint64_t{1} << 28;

// Runs a check of the validator, whose messages know the model's name but not the file.
template <class Check>
void name_the_file(const std::string& what, const Check& check) {
  try {
    check();
  } catch (const DataError& error) {
    throw DataError(what + ": " + error.what());
  }
}

Tensor read_tensor(ByteReader& reader) {
  Tensor t;
  t.name = read_text(reader);
  t.height = read_count(reader, "height", kMaxSide);
  t.width = read_count(reader, "width", kMaxSide);
  t.channels = read_count(reader, "channels", kMaxSide);
  t.zero_point = read_signed(reader);
  t.code_min = read_signed(reader);
  t.code_max = read_signed(reader);
  t.scale_bits = reader.u32();
  return t;
}

Window read_window(ByteReader& reader) {
  Window w;
  for (std::int32_t* field : {&w.kernel_h, &w.kernel_w, &w.stride_h, &w.stride_w, &w.pad_top,
                              &w.pad_left, &w.pad_bottom, &w.pad_right}) {
    *field = read_count(reader, "window", kMaxSide);
  }
  return w;
}

Multiplier read_multiplier(ByteReader& reader) {
  Multiplier m;
  m.value = reader.i32();
  m.shift = static_cast<std::int8_t>(reader.u8());
  return m;
}

bool read_flag(ByteReader& reader, const char* name) {
  const std::uint8_t flag = reader.u8();
  if (flag > 1)
    reader.fail(std::string(name) + " is " + std::to_string(flag) + ", expected 0 or 1");
  return flag == 1;
}

Weights read_weights(ByteReader& reader, std::uint32_t version, const WeightLayout& layout,
                     const std::string& what) {
  Weights weights;
  weights.bits = reader.u8();
  if (weights.bits < 1 || weights.bits > 8) {
    reader.fail("weight bits are " + std::to_string(weights.bits) + ", expected 1 to 8");
  }
  weights.affine = read_flag(reader, "affine");
  if (weights.affine) {
    const std::int32_t count = read_count(reader, "number of weight zero points", layout.outputs);
    for (std::int32_t i = 0; i < count; ++i) weights.zero_points.push_back(read_signed(reader));
    const bool in_range = std::all_of(
        weights.zero_points.begin(), weights.zero_points.end(),
        [&](std::int32_t z) { return z >= lowest_code(weights) && z <= highest_code(weights); });
    if ((count != 1 && count != layout.outputs) || !in_range) {
      reader.fail("weight zero points are not one or one per channel, or leave the code range");
    }
  }
  const std::int32_t scales = read_count(reader, "number of weight scales", layout.outputs);
  for (std::int32_t i = 0; i < scales; ++i) weights.scale_bits.push_back(reader.u32());
  const auto coding = static_cast<Coding>(reader.u8());
  if (first_version(coding) > version) {
    reader.fail("coding " + std::to_string(static_cast<int>(coding)) +
                " does not occur in version " + std::to_string(version));
  }
  const std::int32_t size = read_count(reader, "size of the codes", kMaxModelBytes);
  decode_codes(coding, reader.bytes(size), layout, what, weights);
  return weights;
}

Channels read_channels(ByteReader& reader, std::uint32_t version, const Weights& weights,
                       std::int64_t outputs) {
  Channels channels;
  if (version >= kFractionBits) {
    channels.fraction_bits = reader.u8();
    if (channels.fraction_bits > most_fraction_bits(weights)) {
      reader.fail("fraction bits are " + std::to_string(channels.fraction_bits) +
                  ", expected at most " + std::to_string(most_fraction_bits(weights)));
    }
  }
  for (std::int64_t c = 0; c < outputs; ++c) channels.bias.push_back(read_signed(reader));
  for (std::int64_t c = 0; c < outputs; ++c)
    channels.multipliers.push_back(read_multiplier(reader));
  if (!read_flag(reader, "signs")) return channels;
  const std::span<const std::byte> signs = reader.bytes((outputs + 7) / 8);
  for (std::int64_t bit = 0; bit < std::ssize(signs) * 8; ++bit) {
    const auto sign =
        static_cast<std::uint8_t>((static_cast<unsigned>(signs[bit / 8]) >> (bit % 8)) & 1);
    if (bit < outputs) {
      channels.negate.push_back(sign);
    } else if (sign != 0) {
      reader.fail("the bits behind the last sign are not zero");
    }
  }
  return channels;
}

struct OperationReader {
  ByteReader& reader;
  Program& program;
  std::uint32_t version;
  const std::string& what;

  std::size_t index() const { return program.operations.size() - 1; }

  // Everything but the weights is read; now their size can be trusted.
  template <class Layer>
  void layer(Layer& op) const {
    name_the_file(what, [&] { check_geometry(program, index()); });
    const WeightLayout layout =
        weight_layout(op, program.tensors[op.input], program.tensors[op.output]);
    op.weights = read_weights(reader, version, layout, what + ": " + describe(program, index()));
    op.channels = read_channels(reader, version, op.weights, layout.outputs);
  }

  void operator()(Conv2d& op) const {
    op.window = read_window(reader);
    op.groups = read_count(reader, "groups", kMaxSide);
    layer(op);
  }
  void operator()(DepthwiseConv2d& op) const {
    op.window = read_window(reader);
    layer(op);
  }
  void operator()(Dense& op) const { layer(op); }
  void operator()(MaxPool2d& op) const { op.window = read_window(reader); }
  void operator()(AveragePool2d& op) const { op.window = read_window(reader); }
  void operator()(GlobalAverage& op) const { op.multiplier = read_multiplier(reader); }
  void operator()(Add& op) const {
    for (Multiplier* m : {&op.scale_a, &op.scale_b, &op.scale_output}) *m = read_multiplier(reader);
  }
  void operator()(Clamp&) const {}
  void operator()(Reshape&) const {}
};

template <std::size_t... kKinds>
Operation empty_operation(std::size_t kind, std::index_sequence<kKinds...>) {
  Operation operation;
  ((kind == kKinds ? static_cast<void>(operation.emplace<kKinds>()) : static_cast<void>(0)), ...);
  return operation;
}

void read_operation(ByteReader& reader, Program& program, std::uint32_t version,
                    const std::string& what) {
  const std::uint8_t kind = reader.u8();
  constexpr std::size_t kKinds = std::variant_size_v<Operation>;
  if (kind >= kKinds) reader.fail("operation kind " + std::to_string(kind) + " is unknown");
  const auto tensor = [&] { return read_count(reader, "tensor index", kMaxTensors); };
  Operation& operation =
      program.operations.emplace_back(empty_operation(kind, std::make_index_sequence<kKinds>()));
  std::visit(
      [&](auto& op) {
        if constexpr (std::is_same_v<std::decay_t<decltype(op)>, Add>) {
          op.a = tensor();
          op.b = tensor();
        } else {
          op.input = tensor();
        }
        op.output = tensor();
        OperationReader{reader, program, version, what}(op);
      },
      operation);
}

Program read_program(ByteReader& reader, std::uint32_t version, const std::string& what) {
  Program program;
  const std::uint8_t rounding = reader.u8();
  if (rounding > 1) reader.fail("rounding is " + std::to_string(rounding) + ", expected 0 or 1");
  program.rounding = static_cast<Rounding>(rounding);
  program.name = read_text(reader);
  const std::int32_t tensors = read_count(reader, "number of tensors", kMaxTensors);
  program.input = read_count(reader, "input", kMaxTensors);
  program.output = read_count(reader, "output", kMaxTensors);
  for (std::int32_t t = 0; t < tensors; ++t) program.tensors.push_back(read_tensor(reader));
  const std::int32_t tables = read_count(reader, "number of pixel tables", kMaxSide);
  for (std::int32_t t = 0; t < tables; ++t) {
    const std::span<const std::byte> table = reader.bytes(256);
    auto& codes = program.pixel_codes.emplace_back();
    std::transform(table.begin(), table.end(), codes.begin(),
                   [](std::byte b) { return static_cast<std::int8_t>(b); });
  }
  name_the_file(what, [&] { check_tensors(program); });
  const std::int32_t operations = read_count(reader, "number of operations", kMaxOperations);
  for (std::int32_t k = 0; k < operations; ++k) read_operation(reader, program, version, what);
  reader.expect_end();
  return program;
}

}  // namespace

Program decode_model(std::span<const std::byte> bytes, const std::string& what) {
  const std::size_t smallest = kModelMagic.size() + sizeof kModelVersion + kCrcBytes;
  if (bytes.size() < smallest) {
    throw DataError(what + ": " + std::to_string(bytes.size()) +
                    " bytes are too few for a model.pare; is it complete?");
  }
  const std::span<const std::byte> body = bytes.first(bytes.size() - kCrcBytes);
  if (ByteReader(bytes.last(kCrcBytes), what).u32() != crc32(body)) {
    throw DataError(what +
                    ": the checksum does not match: damaged, incomplete, or not a model.pare");
  }
  ByteReader reader(body, what);
  if (reader.text(kModelMagic.size()) != kModelMagic)
    reader.fail("not a model.pare (it does not begin with PARE)");
  const std::uint32_t version = reader.u32();
  if (version < 1 || version > kModelVersion) {
    reader.fail("format version " + std::to_string(version) + ", this program reads 1 to " +
                std::to_string(kModelVersion));
  }
  Program program = read_program(reader, version, what);
  name_the_file(what, [&] { validate(program); });
  return program;
}

Program load_model(const std::string& path) {
  return decode_model(read_file(path, kMaxModelBytes), path);
}

}  // namespace pare::integer
