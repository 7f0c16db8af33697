// The typed getters and the wording of their messages: "expected <what>, got <value>".
#include "framework/config/node.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "framework/base/error.h"
#include "framework/base/text.h"

namespace pare::config {
namespace {

// "an integer" + "at least 1" -> "an integer of at least 1".
std::string with_range(std::string_view type, const std::string& range) {
  if (range.empty()) return std::string(type);
  return fmt::format("{}{}{}", type, range.starts_with("at ") ? " of " : " ", range);
}

std::string message_at(const Origin& origin, std::string_view path, const std::string& message) {
  return path.empty() ? fmt::format("{}: {}", origin.text(), message)
                      : fmt::format("{}: {}: {}", origin.text(), path, message);
}

}  // namespace

std::string IntegerRange::text() const {
  const IntegerRange any;
  if (min != any.min && max != any.max) return fmt::format("from {} to {}", min, max);
  if (min != any.min) return fmt::format("at least {}", min);
  if (max != any.max) return fmt::format("at most {}", max);
  return "";
}

std::string RealRange::text() const {
  if (std::isfinite(min) && std::isfinite(max)) return fmt::format("from {} to {}", min, max);
  std::string low, high;
  if (std::isfinite(min)) low = fmt::format("at least {}", min);
  if (std::isfinite(above)) low = fmt::format("above {}", above);
  if (std::isfinite(max)) high = fmt::format("at most {}", max);
  if (std::isfinite(below)) high = fmt::format("below {}", below);
  return low.empty() || high.empty() ? low + high : low + " and " + high;
}

bool Node::boolean() const {
  if (!is_boolean()) expected("true or false");
  return value_->as<bool>();
}

std::int64_t Node::integer(const IntegerRange& range) const {
  const auto refuse = [&] { expected(with_range("an integer", range.text())); };
  if (!is_integer()) refuse();
  const std::int64_t x = value_->as<std::int64_t>();
  if (x < range.min || x > range.max) refuse();
  return x;
}

double Node::real(const RealRange& range) const {
  const auto refuse = [&] { expected(with_range("a number", range.text())); };
  if (!is_number()) refuse();
  const double x =
      is_integer() ? static_cast<double>(value_->as<std::int64_t>()) : value_->as<double>();
  if (!range.contains(x)) refuse();
  return x;
}

const std::string& Node::text() const {
  if (!is_text()) expected("a string");
  return value_->as<std::string>();
}

const std::string& Node::choice(std::span<const std::string> names) const {
  const std::string what = "one of " + join(names, ", ");
  if (!is_text()) expected(what);
  const std::string& name = value_->as<std::string>();
  for (const std::string& known : names) {
    if (known == name) return name;
  }
  expected(what, suggestion(name, names));
}

std::vector<Node> Node::items() const {
  if (!is_list()) expected("a list");
  std::vector<Node> nodes;
  for (const Value& item : value_->as<List>()) {
    nodes.emplace_back(item, fmt::format("{}[{}]", path_, nodes.size()));
  }
  return nodes;
}

std::vector<std::pair<std::string, Node>> Node::members() const {
  if (!is_object()) expected("an object");
  std::vector<std::pair<std::string, Node>> nodes;
  for (const Member& member : value_->as<Members>()) {
    nodes.emplace_back(member.key, Node(member.value, join_path(path_, member.key)));
  }
  return nodes;
}

std::string Node::folder() const {
  const auto& source = value_->origin.source;
  if (!source || !source->has_lines) return ".";
  const std::string parent = std::filesystem::path(source->name).parent_path().string();
  return parent.empty() ? "." : parent;
}

void Node::fail(const std::string& message) const {
  throw ConfigError(message_at(value_->origin, path_, message));
}

void Node::expected(const std::string& what, const std::string& hint) const {
  fail(fmt::format("expected {}, got {}{}", what, value_->summary(), hint));
}

void fail_at(const Value& root, std::string_view path, const std::string& message) {
  throw ConfigError(message_at(deepest(root, path).origin, path, message));
}

}  // namespace pare::config
