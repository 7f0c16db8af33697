// Type<T>: how a T is read from a config, written back, documented, and described by a JSON Schema.
//
// Types compose: list(integer<int>({.min = 1})), optional(object<Weights>()),
// map(object<Method>()). A value with several spellings (number or object, number or [h, w]) is a
// Type of its own: see Schedule in framework/schedule.h.
#pragma once

#include <concepts>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/config/node.h"

namespace pare::config {

class Object;

template <class T>
concept Describable = requires(T value, Object& o) {
  value.describe(o);
};

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

template <class T>
struct Type {
  std::function<void(const Node&, T&)> read;
  std::function<Json(const T&)> write;
  std::string name;              // "integer", "list of text", "number or schedule"
  std::string allowed = "";      // "from 0 to 1", "adam, sgd", or ""
  std::function<Json()> schema;  // JSON Schema (draft 7) of the value
  // Describes the object inside, for the documentation; empty where there is none.
  std::function<void(Object&)> inside = nullptr;
  std::string inside_path = "";  // between the key and the inner keys: "", "[]" or ".<name>"
};

// What Type::write returns for a value that is left out of the written config.
Json omitted();

// Functions that type.cpp and the modes of object.h provide for the templates below.
namespace detail {
Json integer_schema(const IntegerRange& range);
Json real_schema(const RealRange& range);
Json choice_schema(const std::vector<std::string>& names);
Json list_schema(const Json& item);
Json map_schema(const Json& item);
Json nullable_schema(const Json& schema);
Json switched_schema(const Json& schema);
void read_object(const Node& node, const std::function<void(Object&)>& describe);
Json write_object(const std::function<void(Object&)>& describe);
Json object_schema(const std::function<void(Object&)>& describe);
}  // namespace detail

template <Integer T>
Type<T> integer(IntegerRange range = {}) {
  using Limits = std::numeric_limits<T>;
  const std::string allowed = range.text();  // without the limits of T, which interest nobody
  if (std::cmp_less(range.min, Limits::min())) range.min = static_cast<std::int64_t>(Limits::min());
  if (std::cmp_greater(range.max, Limits::max())) {
    range.max = static_cast<std::int64_t>(Limits::max());
  }
  return {.read = [range](const Node& node, T& x) { x = static_cast<T>(node.integer(range)); },
          .write = [](const T& x) { return Json(x); },
          .name = "integer",
          .allowed = allowed,
          .schema = [range] { return detail::integer_schema(range); }};
}

Type<double> real(RealRange range = {});
Type<bool> boolean();
Type<std::string> text();
Type<std::string> choice(std::vector<std::string> names);

// An enum by the names of its values; every value must have one.
template <class E>
requires std::is_enum_v<E> Type<E> choice(std::vector<std::pair<std::string, E>> names) {
  std::vector<std::string> words;
  for (const auto& [word, value] : names) words.push_back(word);
  Type<std::string> by_word = choice(words);
  return {.read =
              [names, by_word](const Node& node, E& x) {
                std::string given;
                by_word.read(node, given);
                for (const auto& [word, value] : names) {
                  if (word == given) x = value;
                }
              },
          .write =
              [names](const E& x) {
                for (const auto& [word, value] : names) {
                  if (value == x) return Json(word);
                }
                return Json();
              },
          .name = by_word.name,
          .allowed = by_word.allowed,
          .schema = by_word.schema};
}

// A struct with `void describe(Object&)`. Keys that are absent keep what the struct holds before.
template <Describable T>
Type<T> object() {
  return {.read = [](const Node& node,
                     T& x) { detail::read_object(node, [&x](Object& o) { x.describe(o); }); },
          .write =
              [](const T& x) {
                T copy = x;
                return detail::write_object([&copy](Object& o) { copy.describe(o); });
              },
          .name = "object",
          .schema =
              [] {
                T defaults = T();
                return detail::object_schema([&defaults](Object& o) { defaults.describe(o); });
              },
          .inside =
              [](Object& o) {
                T defaults = T();
                defaults.describe(o);
              }};
}

// A list replaces what was there before.
template <class T>
Type<std::vector<T>> list(Type<T> item) {
  return {.read =
              [item](const Node& node, std::vector<T>& x) {
                std::vector<T> items;
                for (const Node& child : node.items()) {
                  T value = T();
                  item.read(child, value);
                  items.push_back(std::move(value));
                }
                x = std::move(items);
              },
          .write =
              [item](const std::vector<T>& x) {
                Json items = Json::array();
                for (const T& value : x) items.push_back(item.write(value));
                return items;
              },
          .name = "list of " + item.name,
          .allowed = item.allowed,
          .schema = [item] { return detail::list_schema(item.schema()); },
          .inside = item.inside,
          .inside_path = "[]" + item.inside_path};
}

// null or a T.
template <class T>
Type<std::optional<T>> optional(Type<T> some) {
  return {.read =
              [some](const Node& node, std::optional<T>& x) {
                if (node.is_null()) return x.reset();
                T value = x ? *x : T();
                some.read(node, value);
                x = std::move(value);
              },
          .write = [some](const std::optional<T>& x) { return x ? some.write(*x) : Json(); },
          .name = some.name + " or null",
          .allowed = some.allowed,
          .schema = [some] { return detail::nullable_schema(some.schema()); },
          .inside = some.inside,
          .inside_path = some.inside_path};
}

// false (none), true (a T as it is by default), or the keys of a T.
template <Describable T>
Type<std::optional<T>> switched() {
  const Type<T> some = object<T>();
  return {.read =
              [some](const Node& node, std::optional<T>& x) {
                if (node.is_boolean()) {
                  x = node.boolean() ? std::optional<T>(T()) : std::nullopt;
                  return;
                }
                T value = x ? *x : T();
                some.read(node, value);
                x = std::move(value);
              },
          .write = [some](const std::optional<T>& x) { return x ? some.write(*x) : Json(false); },
          .name = "boolean or object",
          .schema = [some] { return detail::switched_schema(some.schema()); },
          .inside = some.inside};
}

// An object with keys of the user's choice, in the order of the config.
template <class T>
Type<std::vector<std::pair<std::string, T>>> map(Type<T> item) {
  using Map = std::vector<std::pair<std::string, T>>;
  return {.read =
              [item](const Node& node, Map& x) {
                Map entries;
                for (const auto& [key, child] : node.members()) {
                  T value = T();
                  item.read(child, value);
                  entries.emplace_back(key, std::move(value));
                }
                x = std::move(entries);
              },
          .write =
              [item](const Map& x) {
                Json entries = Json::object();
                for (const auto& [key, value] : x) entries[key] = item.write(value);
                return entries;
              },
          .name = "object of name -> " + item.name,
          .allowed = item.allowed,
          .schema = [item] { return detail::map_schema(item.schema()); },
          .inside = item.inside,
          .inside_path = ".<name>" + item.inside_path};
}

// The type that follows from T alone.
template <class T>
struct DefaultType;
template <>
struct DefaultType<bool> {
  static Type<bool> get() { return boolean(); }
};
template <>
struct DefaultType<double> {
  static Type<double> get() { return real(); }
};
template <>
struct DefaultType<std::string> {
  static Type<std::string> get() { return text(); }
};
template <Integer T>
struct DefaultType<T> {
  static Type<T> get() { return integer<T>(); }
};
template <Describable T>
struct DefaultType<T> {
  static Type<T> get() { return object<T>(); }
};
template <class T>
struct DefaultType<std::optional<T>> {
  static Type<std::optional<T>> get() { return optional(DefaultType<T>::get()); }
};
template <class T>
struct DefaultType<std::vector<T>> {
  static Type<std::vector<T>> get() { return list(DefaultType<T>::get()); }
};

}  // namespace pare::config
