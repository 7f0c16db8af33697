#include "apps/lib/tensorboard/event.h"

#include <bit>
#include <string_view>

#include "framework/base/file.h"

namespace pare::tensorboard {
namespace {

// One message: fields in the order in which they are added.
class Message {
 public:
  void varint(int field, std::uint64_t value) {
    tag(field, 0);
    raw_varint(value);
  }
  void real(int field, double value) {
    tag(field, 1);
    writer_.u64(std::bit_cast<std::uint64_t>(value));
  }
  void real32(int field, float value) {
    tag(field, 5);
    writer_.u32(std::bit_cast<std::uint32_t>(value));
  }
  void text(int field, std::string_view value) {
    tag(field, 2);
    raw_varint(value.size());
    writer_.text(value);
  }
  void message(int field, const Message& value) {
    tag(field, 2);
    raw_varint(value.bytes().size());
    writer_.bytes(value.bytes());
  }
  void packed(int field, const std::vector<double>& values) {
    tag(field, 2);
    raw_varint(8 * values.size());
    for (const double value : values) writer_.u64(std::bit_cast<std::uint64_t>(value));
  }
  const std::vector<std::byte>& bytes() const { return writer_.result(); }

 private:
  void tag(int field, int wire_type) {
    raw_varint(static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(wire_type));
  }
  void raw_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) writer_.u8(static_cast<std::uint8_t>(value | 0x80));
    writer_.u8(static_cast<std::uint8_t>(value));
  }

  ByteWriter writer_;
};

// Summary.Value: tag 1, simple_value 2, histo 5, tensor 8, metadata 9.
Message value_of(const Scalar& scalar) {
  Message value;
  value.text(1, scalar.tag);
  value.real32(2, scalar.value);
  return value;
}

// HistogramProto: min 1, max 2, num 3, sum 4, sum_squares 5, bucket_limit 6, bucket 7.
Message value_of(const Distribution& distribution) {
  Message histogram;
  histogram.real(1, distribution.min);
  histogram.real(2, distribution.max);
  histogram.real(3, distribution.count);
  histogram.real(4, distribution.sum);
  histogram.real(5, distribution.sum_squares);
  histogram.packed(6, distribution.limits);
  histogram.packed(7, distribution.buckets);
  Message value;
  value.text(1, distribution.tag);
  value.message(5, histogram);
  return value;
}

// TensorProto: dtype 1 (string: 7), tensor_shape 2 (dim 2: size 1), string_val 8.
// SummaryMetadata: plugin_data 1 (plugin_name 1).
Message value_of(const Text& text) {
  constexpr std::uint64_t kString = 7;
  Message extent, shape, tensor, plugin, metadata, value;
  extent.varint(1, 1);
  shape.message(2, extent);
  tensor.varint(1, kString);
  tensor.message(2, shape);
  tensor.text(8, text.markdown);
  plugin.text(1, "text");
  metadata.message(1, plugin);
  value.text(1, text.tag);
  value.message(8, tensor);
  value.message(9, metadata);
  return value;
}

}  // namespace

// Event: wall_time 1, step 2, file_version 3, summary 5 (value 1).
std::vector<std::byte> encode(const Event& event) {
  Message summary;
  for (const Scalar& scalar : event.scalars) summary.message(1, value_of(scalar));
  for (const Distribution& d : event.distributions) summary.message(1, value_of(d));
  for (const Text& text : event.texts) summary.message(1, value_of(text));
  Message message;
  message.real(1, event.wall_time);
  message.varint(2, static_cast<std::uint64_t>(event.step));
  message.message(5, summary);
  return message.bytes();
}

std::vector<std::byte> encode_version(double wall_time) {
  Message message;
  message.real(1, wall_time);
  message.text(3, "brain.Event:2");
  return message.bytes();
}

}  // namespace pare::tensorboard
