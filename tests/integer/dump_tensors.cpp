// dump_tensors MODEL IMAGES.idx[.gz] [--count N] [--all-tensors] [--reference]: what the C++ engine
// computes, as the same JSON lines that tests/interpreter/pare_interpreter.py prints, so that the
// two can be compared as text.
//
// A tool for tests, not an application: it knows IDX files of bytes and nothing else.
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "compression/integer/engine.h"
#include "compression/integer/model_file.h"
#include "framework/base/error.h"
#include "framework/base/file.h"

namespace pare::integer {
namespace {

struct Arguments {
  std::string model, images;
  std::int64_t count = -1;
  bool all_tensors = false, reference = false;
};

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  std::vector<std::string> files;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--count" && i + 1 < words.size()) {
      arguments.count = std::atoll(words[++i].c_str());
    } else if (words[i] == "--all-tensors") {
      arguments.all_tensors = true;
    } else if (words[i] == "--reference") {
      arguments.reference = true;
    } else {
      files.push_back(words[i]);
    }
  }
  if (files.size() != 2) {
    throw ConfigError(
        "usage: dump_tensors MODEL IMAGES.idx[.gz] [--count N] [--all-tensors] [--reference]");
  }
  arguments.model = files[0];
  arguments.images = files[1];
  return arguments;
}

// Plain and compressed files alike.
std::vector<std::byte> read_inflated(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw DataError(path + ": cannot be opened");
  std::vector<std::byte> bytes, piece(1 << 20);
  for (int got = 0; (got = gzread(file, piece.data(), 1 << 20)) > 0;) {
    bytes.insert(bytes.end(), piece.begin(), piece.begin() + got);
  }
  gzclose(file);
  return bytes;
}

// Unsigned bytes are pixels, signed bytes are codes.
std::vector<std::int8_t> read_codes(const Engine& engine, const Arguments& arguments) {
  const std::vector<std::byte> bytes = read_inflated(arguments.images);
  ByteReader reader(bytes, arguments.images);
  const std::uint32_t magic = reader.u32_big_endian();
  const std::uint32_t type = magic >> 8, sides = magic & 255;
  if ((type != 8 && type != 9) || sides < 1) reader.fail("not an IDX file of bytes");
  std::int64_t images = reader.u32_big_endian(), size = 1;
  for (std::uint32_t i = 1; i < sides; ++i) size *= reader.u32_big_endian();
  if (size != engine.input_size()) reader.fail("images do not match the model's input");
  if (arguments.count >= 0) images = std::min(images, arguments.count);
  const std::span<const std::byte> values = reader.bytes(images * size);
  std::vector<std::int8_t> codes(images * size);
  if (type == 9) {
    std::transform(values.begin(), values.end(), codes.begin(),
                   [](std::byte b) { return static_cast<std::int8_t>(b); });
  } else {
    engine.pixels_to_codes({reinterpret_cast<const std::uint8_t*>(values.data()), values.size()},
                           codes);
  }
  return codes;
}

std::string json(std::span<const std::int8_t> codes) {
  std::string text = "[";
  for (const std::int8_t code : codes) {
    if (text.size() > 1) text += ',';
    text += std::to_string(code);
  }
  return text + "]";
}

void dump(const Arguments& arguments) {
  const Engine engine(load_model(arguments.model), {.reference = arguments.reference});
  const std::vector<std::int8_t> codes = read_codes(engine, arguments);
  const std::vector<std::vector<std::int8_t>> tensors = engine.run_all(codes);
  const std::int64_t images = std::ssize(codes) / engine.input_size();
  const auto image_of = [&](std::size_t tensor, std::int64_t image) {
    const std::int64_t size = engine.program().tensors[tensor].size();
    return std::span(tensors[tensor]).subspan(image * size, size);
  };
  for (std::int64_t i = 0; i < images; ++i) {
    const std::span<const std::int8_t> output = image_of(engine.program().output, i);
    std::string line = "{\"image\":" + std::to_string(i) +
                       ",\"label\":" + std::to_string(Engine::label(output)) +
                       ",\"codes\":" + json(output);
    if (arguments.all_tensors) {
      line += ",\"tensors\":[";
      for (std::size_t t = 0; t < tensors.size(); ++t) {
        if (t > 0) line += ',';
        line += json(image_of(t, i));
      }
      line += "]";
    }
    std::puts((line + "}").c_str());
  }
}

}  // namespace
}  // namespace pare::integer

int main(int count, char** words) {
  try {
    pare::integer::dump(pare::integer::parse({words + 1, words + count}));
    return 0;
  } catch (const pare::Error& error) {
    std::fprintf(stderr, "dump_tensors: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}
