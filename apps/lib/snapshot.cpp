#include "apps/lib/snapshot.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>

#include "framework/base/error.h"

namespace pare {
namespace {

template <class T>
std::vector<std::byte> bytes_of(const T* values, std::size_t count) {
  std::vector<std::byte> bytes(count * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values, bytes.size());
  return bytes;
}

std::vector<std::int64_t> extents(const Shape& shape) {
  std::vector<std::int64_t> result;
  for (int axis = 0; axis < shape.rank(); ++axis) result.push_back(shape[axis]);
  return result;
}

class Collect final : public StateVisitor {
 public:
  Collect(Snapshot& snapshot, const std::string& prefix) : snapshot_(snapshot), prefix_(prefix) {}

  void tensor(const std::string& name, Tensor& value) override {
    add(name, ElementType::float32, extents(value.shape()),
        bytes_of(value.data(), static_cast<std::size_t>(value.size())));
  }
  void bytes(const std::string& name, std::vector<std::uint8_t>& value) override {
    add(name, ElementType::uint8, {static_cast<std::int64_t>(value.size())},
        bytes_of(value.data(), value.size()));
  }
  void integer(const std::string& name, std::int64_t& value) override {
    add(name, ElementType::int64, {}, bytes_of(&value, 1));
  }
  void real(const std::string& name, double& value) override {
    add(name, ElementType::float64, {}, bytes_of(&value, 1));
  }

 private:
  void add(const std::string& name, ElementType type, std::vector<std::int64_t> shape,
           std::vector<std::byte> bytes) {
    snapshot_.push_back({prefix_ + name, type, std::move(shape), std::move(bytes)});
  }

  Snapshot& snapshot_;
  const std::string& prefix_;
};

class Restore final : public StateVisitor {
 public:
  Restore(const Snapshot& snapshot, const std::string& prefix, const std::string& what)
      : prefix_(prefix), what_(what) {
    for (const NamedArray& array : snapshot) unread_[array.name] = &array;
  }

  void tensor(const std::string& name, Tensor& value) override {
    const NamedArray& array = take(name, ElementType::float32, extents(value.shape()));
    std::memcpy(value.mutable_data(), array.bytes.data(), array.bytes.size());
  }
  void bytes(const std::string& name, std::vector<std::uint8_t>& value) override {
    const bool may_grow = name.ends_with("/range") || name.ends_with("/histogram/counts") ||
                          name.ends_with("/members") || name.ends_with("/scales") ||
                          name.ends_with("/borders");
    const NamedArray& array =
        may_grow ? take(name) : take(name, ElementType::uint8, {std::ssize(value)});
    if (array.type != ElementType::uint8) fail(prefix_ + name, "is of another type");
    value.resize(array.bytes.size());
    if (!value.empty()) std::memcpy(value.data(), array.bytes.data(), array.bytes.size());
  }
  void integer(const std::string& name, std::int64_t& value) override {
    std::memcpy(&value, take(name, ElementType::int64, {}).bytes.data(), sizeof value);
  }
  void real(const std::string& name, double& value) override {
    std::memcpy(&value, take(name, ElementType::float64, {}).bytes.data(), sizeof value);
  }

  void expect_all_read() const {
    if (!unread_.empty()) fail(unread_.begin()->first, "is not part of this run");
  }

 private:
  const NamedArray& take(const std::string& name) {
    const auto found = unread_.find(prefix_ + name);
    if (found == unread_.end()) fail(prefix_ + name, "is missing");
    const NamedArray& array = *found->second;
    unread_.erase(found);
    return array;
  }
  const NamedArray& take(const std::string& name, ElementType type,
                         const std::vector<std::int64_t>& shape) {
    const NamedArray& array = take(name);
    if (array.type != type || array.shape != shape)
      fail(prefix_ + name, "has another type or shape");
    return array;
  }
  [[noreturn]] void fail(const std::string& name, const std::string& fault) const {
    throw DataError(what_ + ": '" + name + "' " + fault);
  }

  const std::string& prefix_;
  const std::string& what_;
  std::map<std::string, const NamedArray*> unread_;
};

// Reads what it finds and leaves the rest as it is.
class Adopt final : public StateVisitor {
 public:
  explicit Adopt(const Snapshot& snapshot) {
    for (const NamedArray& array : snapshot) arrays_[array.name] = &array;
  }

  void tensor(const std::string& name, Tensor& value) override {
    const NamedArray* array = find(name, ElementType::float32, extents(value.shape()));
    if (array) std::memcpy(value.mutable_data(), array->bytes.data(), array->bytes.size());
  }
  void bytes(const std::string& name, std::vector<std::uint8_t>& value) override {
    const NamedArray* array = find(name, ElementType::uint8, {std::ssize(value)});
    if (array && !value.empty()) {
      std::memcpy(value.data(), array->bytes.data(), array->bytes.size());
    }
  }
  void integer(const std::string& name, std::int64_t& value) override {
    const NamedArray* array = find(name, ElementType::int64, {});
    if (array) std::memcpy(&value, array->bytes.data(), sizeof value);
  }
  void real(const std::string& name, double& value) override {
    const NamedArray* array = find(name, ElementType::float64, {});
    if (array) std::memcpy(&value, array->bytes.data(), sizeof value);
  }

 private:
  const NamedArray* find(const std::string& name, ElementType type,
                         const std::vector<std::int64_t>& shape) const {
    const auto found = arrays_.find(name);
    const bool fits =
        found != arrays_.end() && found->second->type == type && found->second->shape == shape;
    return fits ? found->second : nullptr;
  }

  std::map<std::string, const NamedArray*> arrays_;
};

}  // namespace

void adopt(const Snapshot& snapshot, const VisitState& visit) {
  Adopt visitor(snapshot);
  visit(visitor);
}

void collect(Snapshot& snapshot, const std::string& prefix, const VisitState& visit) {
  Collect visitor(snapshot, prefix);
  visit(visitor);
}

Snapshot part_of(const Snapshot& snapshot, const std::string& prefix) {
  Snapshot part;
  std::copy_if(snapshot.begin(), snapshot.end(), std::back_inserter(part),
               [&](const NamedArray& array) { return array.name.starts_with(prefix); });
  return part;
}

void restore(const Snapshot& snapshot, const std::string& prefix, const VisitState& visit,
             const std::string& what) {
  Restore visitor(snapshot, prefix, what);
  visit(visitor);
  visitor.expect_all_read();
}

}  // namespace pare
