#include "compression/exporters/tflite/flatbuffer.h"

#include <algorithm>

#include "framework/base/error.h"

namespace pare {

FlatTable& FlatTable::text(int id, std::string_view value) {
  Field& field = fields_[id];
  field.kind = Kind::text;
  field.count = value.size();
  const auto bytes = std::as_bytes(std::span(value));
  field.bytes.assign(bytes.begin(), bytes.end());
  field.bytes.push_back(std::byte{0});
  return *this;
}

FlatTable& FlatTable::table(int id, FlatTable value) {
  fields_[id].kind = Kind::table;
  fields_[id].children.push_back(std::move(value));
  return *this;
}

FlatTable& FlatTable::tables(int id, std::vector<FlatTable> values) {
  fields_[id].kind = Kind::tables;
  fields_[id].children = std::move(values);
  return *this;
}

// Appends parents before their children, so that every offset leads forwards, and fills an offset
// in once its target is there.
class FlatWriter {
 public:
  std::vector<std::byte> write(const FlatTable& root, std::string_view identifier) {
    put<std::uint32_t>(0);
    for (const char c : identifier) bytes_.push_back(static_cast<std::byte>(c));
    patch(0, write_table(root));
    return std::move(bytes_);
  }

 private:
  using Field = FlatTable::Field;
  using Kind = FlatTable::Kind;

  template <class T>
  void put(T value) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof value);
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }
  // Zeros until `extra` bytes further on is a multiple of `alignment`.
  void align(std::size_t alignment, std::size_t extra = 0) {
    while ((bytes_.size() + extra) % alignment != 0) bytes_.push_back(std::byte{0});
  }
  void patch(std::size_t at, std::size_t target) {
    const auto distance = static_cast<std::uint32_t>(target - at);
    std::memcpy(bytes_.data() + at, &distance, sizeof distance);
  }

  static std::size_t inline_size(const Field& field) {
    return field.kind == Kind::scalar ? field.bytes.size() : 4;
  }

  // The place of the table.
  std::size_t write_table(const FlatTable& table) {
    // Larger fields first, so that each is aligned behind the one before.
    std::vector<std::pair<int, const Field*>> order;
    for (const auto& [id, field] : table.fields_) order.emplace_back(id, &field);
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
      return inline_size(*a.second) > inline_size(*b.second);
    });
    const std::size_t entries =
        table.fields_.empty() ? 0 : static_cast<std::size_t>(table.fields_.rbegin()->first) + 1;
    std::vector<std::uint16_t> places(entries, 0);
    std::size_t size = 4;
    for (const auto& [id, field] : order) {
      places[static_cast<std::size_t>(id)] = static_cast<std::uint16_t>(size);
      size += inline_size(*field);
    }
    const std::size_t vtable_size = 4 + 2 * entries;
    align(4, vtable_size);
    put(static_cast<std::uint16_t>(vtable_size));
    put(static_cast<std::uint16_t>(size));
    for (const std::uint16_t place : places) put(place);
    const std::size_t at = bytes_.size();
    put(static_cast<std::int32_t>(vtable_size));
    for (const auto& [id, field] : order) {
      if (field->kind == Kind::scalar) {
        bytes_.insert(bytes_.end(), field->bytes.begin(), field->bytes.end());
      } else {
        put<std::uint32_t>(0);
      }
    }
    for (const auto& [id, field] : order) {
      if (field->kind == Kind::scalar) continue;
      const std::size_t target = write_target(*field);
      patch(at + places[static_cast<std::size_t>(id)], target);
    }
    return at;
  }

  std::size_t write_target(const Field& field) {
    if (field.kind == Kind::table) return write_table(field.children.front());
    if (field.kind == Kind::tables) return write_tables(field.children);
    align(std::max<std::size_t>(4, field.alignment), 4);
    const std::size_t at = bytes_.size();
    put(static_cast<std::uint32_t>(field.count));
    bytes_.insert(bytes_.end(), field.bytes.begin(), field.bytes.end());
    return at;
  }

  std::size_t write_tables(const std::vector<FlatTable>& tables) {
    align(4);
    const std::size_t at = bytes_.size();
    put(static_cast<std::uint32_t>(tables.size()));
    bytes_.resize(bytes_.size() + 4 * tables.size());
    for (std::size_t i = 0; i < tables.size(); ++i) {
      const std::size_t target = write_table(tables[i]);
      patch(at + 4 + 4 * i, target);
    }
    return at;
  }

  std::vector<std::byte> bytes_;
};

std::vector<std::byte> encode_flatbuffer(const FlatTable& root, std::string_view identifier) {
  return FlatWriter().write(root, identifier);
}

FlatView FlatView::root(std::span<const std::byte> bytes, std::string_view identifier,
                        const std::string& what) {
  const FlatView start(bytes, 0, what);
  start.check(0, 8);
  if (std::memcmp(bytes.data() + 4, identifier.data(), 4) != 0) {
    throw DataError(what + ": is no flatbuffer of the kind " + std::string(identifier));
  }
  return {bytes, start.follow(0), what};
}

void FlatView::check(std::size_t at, std::size_t size) const {
  if (at <= bytes_.size() && size <= bytes_.size() - at) return;
  throw DataError(what_ + ": an offset leads to byte " + std::to_string(at) + ", but there are " +
                  std::to_string(bytes_.size()));
}

std::size_t FlatView::follow(std::size_t at) const { return at + load<std::uint32_t>(at); }

std::size_t FlatView::field(int id) const {
  const auto distance = load<std::int32_t>(at_);
  const auto vtable = static_cast<std::size_t>(static_cast<std::int64_t>(at_) - distance);
  const std::size_t entry = 4 + 2 * static_cast<std::size_t>(id);
  if (entry + 2 > load<std::uint16_t>(vtable)) return 0;
  const auto place = load<std::uint16_t>(vtable + entry);
  return place == 0 ? 0 : at_ + place;
}

std::string FlatView::text(int id) const {
  const std::vector<char> letters = vector<char>(id);
  return {letters.begin(), letters.end()};
}

FlatView FlatView::table(int id) const {
  const std::size_t at = field(id);
  if (at == 0) throw DataError(what_ + ": field " + std::to_string(id) + " of a table is missing");
  return {bytes_, follow(at), what_};
}

std::vector<FlatView> FlatView::tables(int id) const {
  const std::size_t at = field(id);
  if (at == 0) return {};
  const std::size_t begin = follow(at);
  const std::size_t count = load<std::uint32_t>(begin);
  check(begin + 4, count * 4);
  std::vector<FlatView> views;
  for (std::size_t i = 0; i < count; ++i) {
    views.push_back({bytes_, follow(begin + 4 + 4 * i), what_});
  }
  return views;
}

}  // namespace pare
