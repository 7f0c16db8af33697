// Protocol Buffers' wire format, as far as a model needs it: numbers, bytes, messages.
//
// Format (protobuf.dev, "Encoding"): a message is its fields one after the other; a field is a key
// (number << 3 | wire type) and a value, which is a varint (type 0), 8 or 4 bytes (types 1 and 5),
// or a length and that many bytes (type 2): strings, bytes, messages and packed numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pare {

// A message that grows field by field; repeated fields are added once per element.
class ProtoMessage {
 public:
  ProtoMessage& number(int field, std::int64_t value);
  ProtoMessage& bytes(int field, std::span<const std::byte> value);
  ProtoMessage& text(int field, std::string_view value);
  ProtoMessage& message(int field, const ProtoMessage& value);
  const std::vector<std::byte>& encoded() const { return bytes_; }

 private:
  void varint(std::uint64_t value);
  std::vector<std::byte> bytes_;
};

// The fields of a message in bytes that may be damaged. Absent fields are 0 or empty, as the format
// has it. Throws DataError that begins with `what` where the bytes are no message.
class ProtoView {
 public:
  ProtoView(std::span<const std::byte> bytes, const std::string& what);

  std::int64_t number(int field) const;  // the last one
  std::vector<std::int64_t> numbers(int field) const;
  std::string text(int field) const;
  std::vector<std::string> texts(int field) const;
  std::span<const std::byte> bytes(int field) const;
  ProtoView message(int field) const { return {bytes(field), what_}; }
  std::vector<ProtoView> messages(int field) const;

 private:
  struct Field {
    int number;
    std::uint64_t value;               // of a number
    std::span<const std::byte> bytes;  // of anything with a length
  };
  std::vector<Field> fields_;
  std::string what_;
};

}  // namespace pare
