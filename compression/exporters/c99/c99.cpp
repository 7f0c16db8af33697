#include "compression/exporters/c99/c99.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cctype>

#include "compression/exporters/c99/source.h"
#include "compression/exporters/c99/text.h"
#include "compression/integer/model_file.h"
#include "framework/base/error.h"
#include "framework/io/sha256.h"

namespace pare {
namespace c99 {
namespace {

constexpr const char* kHeader =
    R"(/* @name@: an integer network. No allocation, no floating point, no state of its own.

{report}
   A code q stands for the real number (q - zero point) * scale. Everything that a run writes lies in
   the caller's arena, so any number of runs may go on at once, each in its own. */
#ifndef @NAME@_H
#define @NAME@_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

#define @NAME@_INPUT_HEIGHT {height}
#define @NAME@_INPUT_WIDTH {width}
#define @NAME@_INPUT_CHANNELS {channels}
#define @NAME@_INPUT_SIZE {input_size}
#define @NAME@_INPUT_ZERO_POINT ({input_zero})
#define @NAME@_INPUT_SCALE_BITS {input_scale:#010x}u /* of a float32: {input_scale_text} */
#define @NAME@_OUTPUT_SIZE {output_size}
#define @NAME@_OUTPUT_ZERO_POINT ({output_zero})
#define @NAME@_OUTPUT_SCALE_BITS {output_scale:#010x}u /* of a float32: {output_scale_text} */
#define @NAME@_ARENA_SIZE {arena} /* bytes, exact */
#define @NAME@_INPUT_OFFSET {input_offset} /* of the arena: an input that is put there is not copied */
#define @NAME@_LAYERS {layers}
#define @NAME@_MODEL_SHA256 "{sha}" /* of model.pare */

enum {{ @NAME@_OK = 0, @NAME@_ERROR_NULL = -1, @NAME@_ERROR_ARENA = -2 }};

/* Runs one image of height x width x channels codes, channels last. The arena needs
   @NAME@_ARENA_SIZE bytes{alignment}; what it held is lost. The output must not lie in it. Codes
   outside {low} .. {high} count as the nearer of the two. Returns @NAME@_OK or an error. */
int @name@_run(const {io} *input, {io} *output, void *arena, size_t arena_size);
{pixels}
/* The smallest index among the largest of the outputs: the class of the image. */
int32_t @name@_label(const {io} *output);

/* In @name@_selftest.c: 0 where each of its images gives the codes that it should; else 1 + the
   number of the first one that does not, or an error of @name@_run. */
int @name@_selftest(void *arena, size_t arena_size);

#ifdef __cplusplus
}}
#endif

#endif
)";

constexpr const char* kPixels = R"(
/* The same for an image of bytes as a camera gives them, through the table of the data's
   normalisation. The pixels may lie at the input's place in the arena. */
int @name@_run_pixels(const uint8_t *pixels, {io} *output, void *arena, size_t arena_size);
)";

std::string scale_text(std::uint32_t bits) {
  return fmt::format("{:.9g}", std::bit_cast<float>(bits));
}

std::string hash_text(const integer::Program& program) {
  std::string text;
  for (const std::byte b : sha256(integer::encode_model(program))) {
    text += fmt::format("{:02x}", static_cast<unsigned>(b));
  }
  return text;
}

// As the inner lines of a comment.
std::string indented(const std::string& text) {
  std::string result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    result += "   " + text.substr(begin, end + 1 - begin);
    begin = end + 1;
  }
  return result;
}

std::string header_text(const C99Model& model, const C99Export& result, bool bytes) {
  const integer::Program& program = *model.program;
  const integer::Tensor& in = program.tensors[static_cast<std::size_t>(program.input)];
  const integer::Tensor& out = program.tensors[static_cast<std::size_t>(program.output)];
  const int shift = bytes ? 128 : 0;
  const char* io = bytes ? "uint8_t" : "int8_t";
  return fmt::format(
      fmt::runtime(kHeader), fmt::arg("report", indented(size_report(result))),
      fmt::arg("height", in.height), fmt::arg("width", in.width), fmt::arg("channels", in.channels),
      fmt::arg("input_size", in.size()), fmt::arg("input_zero", in.zero_point + shift),
      fmt::arg("input_scale", in.scale_bits),
      fmt::arg("input_scale_text", scale_text(in.scale_bits)), fmt::arg("output_size", out.size()),
      fmt::arg("output_zero", out.zero_point + shift), fmt::arg("output_scale", out.scale_bits),
      fmt::arg("output_scale_text", scale_text(out.scale_bits)), fmt::arg("arena", result.arena),
      fmt::arg("input_offset", model.plan.offsets[static_cast<std::size_t>(program.input)]),
      fmt::arg("layers", model.steps.size()), fmt::arg("sha", hash_text(program)),
      fmt::arg("alignment", model.weight_bytes == 2 ? ", at an even address" : ""),
      fmt::arg("low", in.code_min + shift), fmt::arg("high", in.code_max + shift),
      fmt::arg("io", io),
      fmt::arg("pixels", program.pixel_codes.empty()
                             ? ""
                             : fmt::format(fmt::runtime(kPixels), fmt::arg("io", io))));
}

}  // namespace

std::string with_name(std::string text, const std::string& name) {
  std::string capitals = name;
  for (char& c : capitals) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const auto replace = [&](const std::string& from, const std::string& to) {
    for (std::size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  };
  replace("@NAME@", capitals);
  replace("@name@", name);
  return text;
}

}  // namespace c99

std::int64_t C99Export::tables() const {
  std::int64_t bytes = pixel_table;
  for (const C99Size& layer : layers) bytes += layer.weights + layer.tables;
  return bytes;
}

C99Export export_c99(const integer::Program& program, const C99Golden& golden,
                     const C99Options& options) {
  const C99Model model = plan_c99(program);
  C99Export result;
  result.name = c_identifier(options.name.empty() ? program.name : options.name);
  result.layers = sizes_of(model);
  result.pixel_table = static_cast<std::int64_t>(program.pixel_codes.size()) * 256;
  result.arena = model.plan.bytes;
  result.header = c99::with_name(c99::header_text(model, result, options.bytes), result.name);
  result.source = c99::with_name(c99::source_text(model, options.bytes), result.name);
  result.selftest = c99::with_name(
      c99::selftest_text(golden, !program.pixel_codes.empty(), options.bytes), result.name);
  return result;
}

std::string size_report(const C99Export& result) {
  std::string text = fmt::format("{:<22} {:<26} {:<24} {:>9} {:>8} {:>8}\n", "layer", "kind",
                                 "weights stored as", "weights", "tables", "RAM");
  for (const C99Size& layer : result.layers) {
    if (layer.ram == 0) continue;  // a reshape: nothing happens
    text += fmt::format("{:<22} {:<26} {:<24} {:>9} {:>8} {:>8}\n", layer.name, layer.kind,
                        layer.form, layer.weights, layer.tables, layer.ram);
  }
  text += fmt::format("pixel table {} bytes, all tables {} bytes, arena {} bytes\n",
                      result.pixel_table, result.tables(), result.arena);
  return text;
}

}  // namespace pare
