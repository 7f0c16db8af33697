// FlatBuffers, the small part of the format that a model needs: tables, strings, vectors, written
// parent first, and read back with every offset checked.
//
// Format (flatbuffers.dev, "FlatBuffer Internals"): the file begins with the offset of the root
// table and a 4-byte identifier. A table begins with the distance back to its vtable, which holds
// the sizes of both and the place of each field, 0 where it is absent. Strings, vectors and tables
// lie elsewhere, behind a u32 that counts from where it stands; everything is aligned to its size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pare {

// A table that will be written. Fields have the ids of the schema; one that is not set is absent.
class FlatTable {
 public:
  // Integers and floats of 1, 2 or 4 bytes.
  template <class T>
  FlatTable& scalar(int id, T value) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    fields_[id].bytes.assign(bytes.begin(), bytes.end());
    return *this;
  }
  // `alignment`: of the first element, at least its size.
  template <class T>
  FlatTable& vector(int id, const std::vector<T>& values, std::size_t alignment = sizeof(T)) {
    Field& field = fields_[id];
    field.kind = Kind::vector;
    field.count = values.size();
    field.alignment = alignment;
    const auto bytes = std::as_bytes(std::span(values));
    field.bytes.assign(bytes.begin(), bytes.end());
    return *this;
  }
  FlatTable& text(int id, std::string_view value);
  FlatTable& table(int id, FlatTable value);
  FlatTable& tables(int id, std::vector<FlatTable> values);

 private:
  friend class FlatWriter;
  enum class Kind { scalar, vector, text, table, tables };
  struct Field {
    Kind kind = Kind::scalar;
    std::vector<std::byte> bytes;
    std::size_t count = 0, alignment = 4;
    std::vector<FlatTable> children;
  };
  std::map<int, Field> fields_;
};

std::vector<std::byte> encode_flatbuffer(const FlatTable& root, std::string_view identifier);

// A table of a file. Absent fields give what the schema has for them. Throws DataError that begins
// with `what` where an offset leads out of the bytes.
class FlatView {
 public:
  static FlatView root(std::span<const std::byte> bytes, std::string_view identifier,
                       const std::string& what);

  template <class T>
  T scalar(int id, T absent) const {
    const std::size_t at = field(id);
    return at == 0 ? absent : load<T>(at);
  }
  template <class T>
  std::vector<T> vector(int id) const {
    const std::size_t at = field(id);
    if (at == 0) return {};
    const std::size_t begin = follow(at);
    const std::size_t count = load<std::uint32_t>(begin);
    check(begin + 4, count * sizeof(T));
    std::vector<T> values(count);
    if (count > 0) std::memcpy(values.data(), bytes_.data() + begin + 4, count * sizeof(T));
    return values;
  }
  std::string text(int id) const;
  bool has(int id) const { return field(id) != 0; }
  FlatView table(int id) const;  // must be there
  std::vector<FlatView> tables(int id) const;

 private:
  FlatView(std::span<const std::byte> bytes, std::size_t at, const std::string& what)
      : bytes_(bytes), at_(at), what_(what) {}
  std::size_t field(int id) const;           // where it stands; 0: absent
  std::size_t follow(std::size_t at) const;  // the offset that stands there
  void check(std::size_t at, std::size_t size) const;
  template <class T>
  T load(std::size_t at) const {
    check(at, sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }

  std::span<const std::byte> bytes_;
  std::size_t at_;
  std::string what_;
};

}  // namespace pare
