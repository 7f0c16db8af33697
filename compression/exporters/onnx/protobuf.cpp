#include "compression/exporters/onnx/protobuf.h"

#include "framework/base/error.h"

namespace pare {
namespace {

enum WireType { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

// Takes values off the front of bytes.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, const std::string& what) : bytes_(bytes), what_(what) {}

  bool done() const { return bytes_.empty(); }
  std::span<const std::byte> take(std::uint64_t count) {
    if (count > bytes_.size()) fail("a field leads out of the file");
    const auto front = bytes_.first(static_cast<std::size_t>(count));
    bytes_ = bytes_.subspan(front.size());
    return front;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<std::uint64_t>(take(1)[0]);
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
    fail("a number has more than ten bytes");
  }
  [[noreturn]] void fail(const std::string& message) const {
    throw DataError(what_ + ": " + message);
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& what_;
};

}  // namespace

void ProtoMessage::varint(std::uint64_t value) {
  for (; value >= 128; value >>= 7) bytes_.push_back(static_cast<std::byte>((value & 127) | 128));
  bytes_.push_back(static_cast<std::byte>(value));
}

ProtoMessage& ProtoMessage::number(int field, std::int64_t value) {
  varint(static_cast<std::uint64_t>(field) << 3 | kVarint);
  varint(static_cast<std::uint64_t>(value));
  return *this;
}

ProtoMessage& ProtoMessage::bytes(int field, std::span<const std::byte> value) {
  varint(static_cast<std::uint64_t>(field) << 3 | kLength);
  varint(value.size());
  bytes_.insert(bytes_.end(), value.begin(), value.end());
  return *this;
}

ProtoMessage& ProtoMessage::text(int field, std::string_view value) {
  return bytes(field, std::as_bytes(std::span(value)));
}

ProtoMessage& ProtoMessage::message(int field, const ProtoMessage& value) {
  return bytes(field, value.encoded());
}

ProtoView::ProtoView(std::span<const std::byte> bytes, const std::string& what) : what_(what) {
  Cursor cursor(bytes, what_);
  while (!cursor.done()) {
    const std::uint64_t key = cursor.varint();
    Field field{static_cast<int>(key >> 3 & 0x1FFFFFFF), 0, {}};
    switch (key & 7) {
      case kVarint:
        field.value = cursor.varint();
        break;
      case kLength:
        field.bytes = cursor.take(cursor.varint());
        break;
      case kFixed64:
        field.bytes = cursor.take(8);
        break;
      case kFixed32:
        field.bytes = cursor.take(4);
        break;
      default:
        cursor.fail("a field has an unknown wire type");
    }
    fields_.push_back(field);
  }
}

std::int64_t ProtoView::number(int field) const {
  std::int64_t value = 0;
  for (const Field& f : fields_) {
    if (f.number == field) value = static_cast<std::int64_t>(f.value);
  }
  return value;
}

std::vector<std::int64_t> ProtoView::numbers(int field) const {
  std::vector<std::int64_t> values;
  for (const Field& f : fields_) {
    if (f.number != field) continue;
    if (f.bytes.empty()) values.push_back(static_cast<std::int64_t>(f.value));
    Cursor packed(f.bytes, what_);
    while (!packed.done()) values.push_back(static_cast<std::int64_t>(packed.varint()));
  }
  return values;
}

std::span<const std::byte> ProtoView::bytes(int field) const {
  std::span<const std::byte> value;
  for (const Field& f : fields_) {
    if (f.number == field) value = f.bytes;
  }
  return value;
}

std::string ProtoView::text(int field) const {
  const auto value = bytes(field);
  return {reinterpret_cast<const char*>(value.data()), value.size()};
}

std::vector<std::string> ProtoView::texts(int field) const {
  std::vector<std::string> values;
  for (const Field& f : fields_) {
    if (f.number != field) continue;
    values.emplace_back(reinterpret_cast<const char*>(f.bytes.data()), f.bytes.size());
  }
  return values;
}

std::vector<ProtoView> ProtoView::messages(int field) const {
  std::vector<ProtoView> values;
  for (const Field& f : fields_) {
    if (f.number == field) values.emplace_back(f.bytes, what_);
  }
  return values;
}

}  // namespace pare
