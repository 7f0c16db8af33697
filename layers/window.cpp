#include "layers/window.h"

#include <algorithm>
#include <string>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "framework/config/object.h"

namespace pare {
namespace {

constexpr config::IntegerRange kExtentRange{.min = 1, .max = 1024};

std::string text(std::int64_t h, std::int64_t w) {
  return std::to_string(h) + " x " + std::to_string(w);
}

// The padding before and behind the image along one axis.
struct Pads {
  std::int64_t before, behind;
};

Pads pads(const Padding& padding, std::int64_t in, std::int64_t kernel, std::int64_t stride) {
  if (padding.kind == Padding::Kind::valid) return {0, 0};
  if (padding.kind == Padding::Kind::pixels) return {padding.pixels, padding.pixels};
  const std::int64_t out = (in + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>(0, (out - 1) * stride + kernel - in);
  return {total / 2, total - total / 2};
}

}  // namespace

Window resolve_window(Extent kernel, Extent stride, Padding padding, const Shape& input) {
  if (padding.kind == Padding::Kind::pixels && padding.pixels >= std::min(kernel.h, kernel.w)) {
    throw ConfigError("expected a padding smaller than the kernel (" + text(kernel.h, kernel.w) +
                      "), got " + std::to_string(padding.pixels));
  }
  const Pads rows = pads(padding, input[1], kernel.h, stride.h);
  const Pads columns = pads(padding, input[2], kernel.w, stride.w);
  const std::int64_t padded_h = input[1] + rows.before + rows.behind;
  const std::int64_t padded_w = input[2] + columns.before + columns.behind;
  if (kernel.h > padded_h || kernel.w > padded_w) {
    throw ConfigError("expected an image of at least " + text(kernel.h, kernel.w) +
                      " (the kernel), got " + text(padded_h, padded_w) +
                      " with its padding; try a smaller kernel or \"padding\": \"same\"");
  }
  return {.kernel_h = kernel.h,
          .kernel_w = kernel.w,
          .stride_h = stride.h,
          .stride_w = stride.w,
          .pad_top = rows.before,
          .pad_left = columns.before,
          .pad_bottom = rows.behind,
          .pad_right = columns.behind};
}

config::Type<Extent> extent_type() {
  return {.read =
              [](const config::Node& node, Extent& x) {
                if (node.is_integer()) {
                  x.h = x.w = node.integer(kExtentRange);
                  return;
                }
                if (!node.is_list()) node.expected("an integer or [height, width]");
                const std::vector<config::Node> items = node.items();
                if (items.size() != 2) node.expected("an integer or [height, width]");
                x = {items[0].integer(kExtentRange), items[1].integer(kExtentRange)};
              },
          .write =
              [](const Extent& x) {
                return x.h == x.w ? config::Json(x.h) : config::Json::array({x.h, x.w});
              },
          .name = "integer or [height, width]",
          .allowed = kExtentRange.text(),
          .schema =
              [] {
                const config::Json one = config::detail::integer_schema(kExtentRange);
                config::Json two = config::detail::list_schema(one);
                two["minItems"] = two["maxItems"] = 2;
                return config::Json{{"anyOf", config::Json::array({one, two})}};
              }};
}

config::Type<Padding> padding_type() {
  const config::IntegerRange range{.min = 0, .max = kExtentRange.max};
  return {.read =
              [range](const config::Node& node, Padding& x) {
                if (node.is_text()) {
                  const std::vector<std::string> names = {"valid", "same"};
                  const std::string& name = node.text();
                  if (name != "valid" && name != "same") {
                    node.expected("valid, same or an integer", suggestion(name, names));
                  }
                  x = {name == "same" ? Padding::Kind::same : Padding::Kind::valid, 0};
                  return;
                }
                if (!node.is_integer()) node.expected("valid, same or an integer");
                x = {Padding::Kind::pixels, node.integer(range)};
              },
          .write =
              [](const Padding& x) {
                if (x.kind == Padding::Kind::pixels) return config::Json(x.pixels);
                return config::Json(x.kind == Padding::Kind::same ? "same" : "valid");
              },
          .name = "valid, same or integer",
          .allowed = range.text(),
          .schema =
              [range] {
                return config::Json{
                    {"anyOf", config::Json::array({config::detail::choice_schema({"valid", "same"}),
                                                   config::detail::integer_schema(range)})}};
              }};
}

}  // namespace pare
