#include "framework/io/safetensors.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/config/config.h"
#include "framework/config/node.h"
#include "framework/config/parse.h"

namespace pare {
namespace {

using config::Json;
using config::Node;

constexpr std::size_t kAlignment = 8;
constexpr std::size_t kMostDimensions = 4;
constexpr const char* kMetadata = "__metadata__";

struct TypeName {
  ElementType type;
  const char* name;
};
constexpr TypeName kTypes[] = {{ElementType::float32, "F32"},
                               {ElementType::float64, "F64"},
                               {ElementType::int64, "I64"},
                               {ElementType::int32, "I32"},
                               {ElementType::uint8, "U8"}};

const char* name_of(ElementType type) {
  for (const TypeName& row : kTypes) {
    if (row.type == type) return row.name;
  }
  PARE_ENSURE(!"an element type has a name");
  return "";
}

ElementType type_of(const Node& dtype) {
  for (const TypeName& row : kTypes) {
    if (dtype.text() == row.name) return row.type;
  }
  dtype.fail("expected F32, F64, I64, I32 or U8, got " + dtype.text() + "; save it as float32");
}

const Node& member(const std::vector<std::pair<std::string, Node>>& members, const char* key,
                   const Node& object) {
  for (const auto& [name, value] : members) {
    if (name == key) return value;
  }
  object.fail(std::string("expected a key '") + key + "'");
}

struct Entry {
  NamedArray array;  // without its bytes
  std::uint64_t begin, end;
};

Entry read_entry(const std::string& name, const Node& node) {
  const auto members = node.members();
  if (members.size() != 3) node.fail("expected the keys dtype, shape and data_offsets alone");
  Entry entry{};
  entry.array.name = name;
  entry.array.type = type_of(member(members, "dtype", node));
  const Node& shape = member(members, "shape", node);
  std::uint64_t bytes = size_of(entry.array.type);
  for (const Node& extent : shape.items()) {
    entry.array.shape.push_back(extent.integer({.min = 0}));
    const auto factor = static_cast<std::uint64_t>(entry.array.shape.back());
    if (__builtin_mul_overflow(bytes, factor, &bytes)) shape.fail("it is larger than any file");
  }
  if (entry.array.shape.size() > kMostDimensions) shape.fail("expected at most 4 dimensions");
  const Node& offsets = member(members, "data_offsets", node);
  const auto range = offsets.items();
  if (range.size() != 2) offsets.fail("expected [begin, end]");
  entry.begin = static_cast<std::uint64_t>(range[0].integer({.min = 0}));
  entry.end = static_cast<std::uint64_t>(range[1].integer({.min = 0}));
  if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
    offsets.fail(fmt::format("expected {} bytes for this shape", bytes));
  }
  return entry;
}

// Every byte of the data belongs to exactly one array.
void require_tiling(std::vector<Entry>& entries, std::uint64_t size, const std::string& what) {
  std::ranges::sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
  std::uint64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != at) {
      throw DataError(fmt::format("{}: '{}' begins at byte {} of the data, expected {}", what,
                                  entry.array.name, entry.begin, at));
    }
    at = entry.end;
  }
  if (at != size) {
    throw DataError(fmt::format(
        "{}: the arrays take {} bytes, the file has {}: it is damaged or was cut", what, at, size));
  }
}

SafeTensors read(std::string_view header, std::span<const std::byte> data,
                 const std::string& what) {
  SafeTensors result;
  std::vector<Entry> entries;
  const config::Value root = config::parse_text(header, what);
  for (const auto& [name, node] : Node(root, "").members()) {
    if (name == kMetadata) {
      for (const auto& [key, text] : node.members()) result.metadata.emplace_back(key, text.text());
    } else {
      entries.push_back(read_entry(name, node));
    }
  }
  require_tiling(entries, data.size(), what);
  for (Entry& entry : entries) {
    const auto bytes = data.subspan(entry.begin, entry.end - entry.begin);
    entry.array.bytes.assign(bytes.begin(), bytes.end());
    result.arrays.push_back(std::move(entry.array));
  }
  std::ranges::sort(result.arrays, {}, &NamedArray::name);
  std::ranges::sort(result.metadata);
  return result;
}

}  // namespace

std::vector<std::byte> encode_safetensors(const SafeTensors& tensors) {
  std::vector<const NamedArray*> sorted;
  for (const NamedArray& array : tensors.arrays) sorted.push_back(&array);
  std::ranges::sort(sorted, [](const NamedArray* a, const NamedArray* b) {
    const std::size_t size_a = size_of(a->type), size_b = size_of(b->type);
    return size_a != size_b ? size_a > size_b : a->name < b->name;
  });
  Json header = Json::object();
  for (const auto& [key, text] : tensors.metadata) header[kMetadata][key] = text;
  std::uint64_t at = 0;
  for (const NamedArray* array : sorted) {
    PARE_ENSURE(!array->name.empty() && !header.contains(array->name));
    header[array->name] = {{"dtype", name_of(array->type)},
                           {"shape", array->shape},
                           {"data_offsets", {at, at + array->bytes.size()}}};
    at += array->bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  PARE_ENSURE(text.size() <= config::kLargest);
  ByteWriter writer;
  writer.u64(text.size());
  writer.text(text);
  for (const NamedArray* array : sorted) writer.bytes(array->bytes);
  return writer.result();
}

SafeTensors decode_safetensors(std::span<const std::byte> bytes, const std::string& what) {
  ByteReader reader(bytes, what);
  const std::uint64_t length = reader.u64();
  if (length > config::kLargest || length > reader.remaining() || length < 2) {
    reader.fail(fmt::format("expected a header of 2 to {} bytes, got {}; is it a safetensors file?",
                            std::min<std::uint64_t>(config::kLargest, reader.remaining()), length));
  }
  const std::string header = reader.text(length);
  if (header.front() != '{') reader.fail("expected a header that begins with '{'");
  try {
    return read(header, reader.bytes(reader.remaining()), what);
  } catch (const ConfigError& error) {
    throw DataError(error.what());
  }
}

void save_safetensors(const std::string& path, const SafeTensors& tensors) {
  write_file_atomically(path, encode_safetensors(tensors));
}

SafeTensors load_safetensors(const std::string& path, std::uint64_t limit) {
  return decode_safetensors(read_file(path, limit), path);
}

bool looks_like_safetensors(std::span<const std::byte> bytes) {
  if (bytes.size() < 10 || bytes[8] != std::byte{'{'}) return false;
  return ByteReader(bytes, "").u64() <= bytes.size() - 8;
}

}  // namespace pare
