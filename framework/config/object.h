// The declarative config API: one function per struct serves reading, printing, documentation and
// JSON Schema.
//
//   struct OptimizerConfig {
//     std::string kind = "adam";
//     double momentum = 0.9;
//     std::optional<double> clip_norm;
//     Schedule learning_rate = 0.001;
//
//     void describe(config::Object& o) {
//       o.choice("kind", kind, {"adam", "sgd"}, "update rule");
//       o.real("momentum", momentum, {.min = 0, .below = 1}, "of sgd");
//       o.real("clip_norm", clip_norm, {.above = 0}, "largest norm of a step's gradient; null:
//       any"); o.field("learning_rate", learning_rate, schedule({.above = 0}), "step size"); if
//       (o.missing("momentum") && kind == "adam") momentum = 0; if (o.given("momentum") && kind ==
//       "adam") o.fail("momentum", "only sgd has one");
//     }
//   };
//   auto optimizer = config::read<OptimizerConfig>(config::load_file("x.json", sets));   //
//   framework/config/config.h
//
// The struct's initial values are the defaults. describe() must not depend on anything but the
// struct and `o`: it also runs on a default struct (documentation, schema) and on a finished one
// (printing), where given(), missing() and rank() answer as if nothing were in question and fail()
// does nothing.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "framework/config/type.h"

namespace pare::config {

// A Type<T> together with the T it belongs to.
struct Field {
  std::function<void(const Node&)> read;
  std::function<Json()> write;
  std::string type;
  std::string allowed = "";
  std::function<Json()> schema = [] { return Json::object(); };
  std::function<void(Object&)> inside = nullptr;
  std::string inside_path = "";
};

// One of several sets of keys that an object may have, chosen by its `kind`.
struct Alternative {
  std::string name;
  std::function<void(Object&)> describe;
};

class Object {
 public:
  virtual ~Object() = default;

  // --- Fields. T is a number, bool, string or enum, or a std::optional of one (then null is
  // accepted).

  template <class T>
  void integer(std::string_view key, T& x, IntegerRange range, std::string_view doc) {
    field(key, x, maybe<T>([&]<class U>() { return config::integer<U>(range); }), doc);
  }
  template <class T>
  void integer(std::string_view key, T& x, std::string_view doc) {
    integer(key, x, IntegerRange{}, doc);
  }
  template <class T>
  void real(std::string_view key, T& x, RealRange range, std::string_view doc) {
    field(key, x, maybe<T>([&]<class U>() -> Type<U> { return config::real(range); }), doc);
  }
  template <class T>
  void real(std::string_view key, T& x, std::string_view doc) {
    real(key, x, RealRange{}, doc);
  }
  template <class T>
  void boolean(std::string_view key, T& x, std::string_view doc) {
    field(key, x, maybe<T>([]<class U>() -> Type<U> { return config::boolean(); }), doc);
  }
  template <class T>
  void text(std::string_view key, T& x, std::string_view doc) {
    field(key, x, maybe<T>([]<class U>() -> Type<U> { return config::text(); }), doc);
  }
  // One of `names`. A string that is empty before reading makes the key required.
  void choice(std::string_view key, std::string& x, std::vector<std::string> names,
              std::string_view doc);
  void choice(std::string_view key, std::optional<std::string>& x, std::vector<std::string> names,
              std::string_view doc) {
    field(key, x, config::optional(config::choice(std::move(names))), doc);
  }
  template <class E>
  requires std::is_enum_v<E>
  void choice(std::string_view key, E& x,
              std::type_identity_t<std::vector<std::pair<std::string, E>>> names,
              std::string_view doc) {
    field(key, x, config::choice<E>(std::move(names)), doc);
  }

  // A struct with describe(), or a std::optional of one (null: none).
  template <class T>
  void object(std::string_view key, T& x, std::string_view doc) {
    field(key, x, DefaultType<T>::get(), doc);
  }
  // A list of anything that DefaultType knows: numbers, strings, structs.
  template <class T>
  void list(std::string_view key, std::vector<T>& x, std::string_view doc) {
    field(key, x, config::list(DefaultType<T>::get()), doc);
  }
  // Names of the user's choice -> structs, in the order of the config.
  template <class T>
  void map(std::string_view key, std::vector<std::pair<std::string, T>>& x, std::string_view doc) {
    field(key, x, config::map(DefaultType<T>::get()), doc);
  }

  // A value of any Type: list(integer<int>({.min = 1})), or one of your own.
  template <class T>
  void field(std::string_view key, T& x, const Type<T>& type, std::string_view doc) {
    custom(key,
           {.read = [&x, type](const Node& node) { type.read(node, x); },
            .write = [&x, type] { return type.write(x); },
            .type = type.name,
            .allowed = type.allowed,
            .schema = type.schema,
            .inside = type.inside,
            .inside_path = type.inside_path},
           doc);
  }

  // The general form that all others end in. `read` gets the Node of a key that is there.
  virtual void custom(std::string_view key, const Field& field, std::string_view doc) = 0;

  // `kind` selects which further keys this object has. At most one per object. An empty `kind`
  // makes it required.
  virtual void alternatives(std::string_view key, std::string& kind,
                            const std::vector<Alternative>& list, std::string_view doc) = 0;

  // --- Rules between fields.

  // The key must be there (in any mode: documentation and schema say so).
  virtual void require(std::string_view key) = 0;

  // True only while reading: the key is there with a value other than null.
  virtual bool given(std::string_view) const { return false; }
  // True only while reading: the key is absent. The place for defaults that depend on other keys.
  virtual bool missing(std::string_view) const { return false; }
  // How late the key, or anything inside it, was given (Source::rank); nothing where it is absent
  // or not reading.
  virtual std::optional<int> rank(std::string_view) const { return std::nullopt; }

  // While reading: throws ConfigError at the position of `path` below this object ("apply[0]"; ""
  // is the object itself).
  virtual void fail(std::string_view path, const std::string& message) const = 0;

 private:
  // Type<U> for a U, optional(Type<U>) for a std::optional<U>.
  template <class T, class Make>
  static Type<T> maybe(const Make& make) {
    if constexpr (requires(T x) { x.reset(); }) {
      return config::optional(make.template operator()<typename T::value_type>());
    } else {
      return make.template operator()<T>();
    }
  }
};

// For alternatives that live in a std::variant: the T inside, made first where the variant holds
// something else.
template <class T, class... Ts>
T& hold(std::variant<Ts...>& variant) {
  if (!std::holds_alternative<T>(variant)) variant.template emplace<T>();
  return std::get<T>(variant);
}

}  // namespace pare::config
