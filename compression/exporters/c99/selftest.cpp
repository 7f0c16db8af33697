// NAME_selftest.c: images, the codes that the engine gives for them, and a function that compares.
#include <fmt/format.h>

#include "compression/exporters/c99/text.h"

namespace pare::c99 {
namespace {

constexpr const char* kText =
    R"(#include "@name@.h" /* Here: images, and the codes that the engine gives for them. */

#define IMAGES {images}

static const {type} inputs[IMAGES][@NAME@_INPUT_SIZE] = {{
{inputs}}};

static const {io} outputs[IMAGES][@NAME@_OUTPUT_SIZE] = {{
{outputs}}};

int @name@_selftest(void *arena, size_t arena_size)
{{
  {io} codes[@NAME@_OUTPUT_SIZE];
  int32_t i, k;
  for (i = 0; i < IMAGES; ++i) {{
    const int status = @name@_{run}(inputs[i], codes, arena, arena_size);
    if (status != @NAME@_OK) return status;
    for (k = 0; k < @NAME@_OUTPUT_SIZE; ++k) {{
      if (codes[k] != outputs[i][k]) return (int)i + 1;
    }}
  }}
  return 0;
}}

#ifndef @NAME@_SELFTEST_WITHOUT_MAIN
static uint32_t arena[(@NAME@_ARENA_SIZE + 3) / 4];

int main(void)
{{
  return @name@_selftest(arena, sizeof arena);
}}
#endif
)";

// One initializer per image.
template <class Values>
std::string rows(const Values& values, std::size_t images) {
  std::string text;
  const std::size_t size = values.size() / images;
  for (std::size_t i = 0; i < images; ++i) {
    text += "  " + initializer(values.subspan(i * size, size)) + (i + 1 < images ? ",\n" : "\n");
  }
  return text;
}

}  // namespace

std::string selftest_text(const C99Golden& golden, bool pixels, bool bytes) {
  std::vector<std::int32_t> inputs, outputs;
  for (const std::uint8_t value : golden.images) {
    const std::int32_t code = static_cast<std::int8_t>(value);
    inputs.push_back(pixels ? value : bytes ? code + 128 : code);
  }
  for (const std::int8_t code : golden.outputs) outputs.push_back(bytes ? code + 128 : code);
  return fmt::format(
      fmt::runtime(kText), fmt::arg("images", golden.count),
      fmt::arg("type", pixels || bytes ? "uint8_t" : "int8_t"),
      fmt::arg("io", bytes ? "uint8_t" : "int8_t"), fmt::arg("run", pixels ? "run_pixels" : "run"),
      fmt::arg("inputs", rows(std::span<const std::int32_t>(inputs), golden.count)),
      fmt::arg("outputs", rows(std::span<const std::int32_t>(outputs), golden.count)));
}

}  // namespace pare::c99
