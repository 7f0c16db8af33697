#include "apps/lib/export/compiled.h"

#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "apps/lib/run_program.h"
#include "compression/exporters/c99/text.h"
#include "framework/base/error.h"
#include "framework/base/file.h"

namespace pare {
namespace {

namespace fs = std::filesystem;

// A folder that is gone when we are done with it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    path_ = (fs::temp_directory_path(error) / "pare-export-XXXXXX").string();
    if (error || ::mkdtemp(path_.data()) == nullptr)
      throw FailedError("cannot make a temporary folder; set TMPDIR to one that can be written");
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Reads images from one file and writes outputs to another.
constexpr const char* kMain = R"(#include "@name@.h"

#include <stdio.h>

static uint32_t arena[(@NAME@_ARENA_SIZE + 3) / 4];
static uint8_t image[@NAME@_INPUT_SIZE];
static uint8_t output[@NAME@_OUTPUT_SIZE];

int main(int argc, char **argv)
{
  FILE *in = argc == 3 ? fopen(argv[1], "rb") : NULL;
  FILE *out = argc == 3 ? fopen(argv[2], "wb") : NULL;
  if (in == NULL || out == NULL) return 1;
  while (fread(image, 1, sizeof image, in) == sizeof image) {
    if (@name@_@run@((const @type@ *)image, (@io@ *)output, arena, @NAME@_ARENA_SIZE) != 0) return 1;
    if (fwrite(output, 1, sizeof output, out) != sizeof output) return 1;
  }
  fclose(in);
  return fclose(out);
}
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at; (at = text.find(from)) != std::string::npos;) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// One way of calling the network.
struct Way {
  std::string run;   // "run" or "run_pixels"
  std::string type;  // of an input
};

class Compiled {
 public:
  Compiled(const std::string& compiler, const C99Export& exported, bool bytes)
      : compiler_(compiler), name_(exported.name), bytes_(bytes) {
    write_file_atomically(folder_.file(name_ + ".h"), exported.header);
    write_file_atomically(folder_.file(name_ + ".c"), exported.source);
    write_file_atomically(folder_.file(name_ + "_selftest.c"), exported.selftest);
  }

  void self_test() const {
    compile(name_ + "_selftest.c", "selftest");
    if (run_program({folder_.file("selftest")}) != 0) {
      throw VerificationError("the self test of the generated C fails");
    }
  }

  std::vector<std::int8_t> outputs(const Way& way, std::span<const std::byte> images) const {
    std::string text = replaced(kMain, "@run@", way.run);
    text = replaced(replaced(text, "@type@", way.type), "@io@", bytes_ ? "uint8_t" : "int8_t");
    write_file_atomically(folder_.file("main.c"), c99::with_name(text, name_));
    write_file_atomically(folder_.file("images"), images);
    compile("main.c", "main");
    if (run_program({folder_.file("main"), folder_.file("images"), folder_.file("outputs")}) != 0) {
      throw VerificationError("the generated C refuses an image of the right size");
    }
    std::vector<std::int8_t> codes;
    for (const std::byte b : read_file(folder_.file("outputs"), std::uint64_t{1} << 32)) {
      const int value = std::to_integer<int>(b);
      codes.push_back(static_cast<std::int8_t>(bytes_ ? value - 128 : value));
    }
    return codes;
  }

 private:
  void compile(const std::string& main, const std::string& program) const {
    const int code = run_program({compiler_, "-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion",
                                  "-pedantic", "-Werror", folder_.file(name_ + ".c"),
                                  folder_.file(main), "-o", folder_.file(program)});
    if (code != 0) throw VerificationError(compiler_ + ": the generated C does not compile");
  }

  TemporaryFolder folder_;
  std::string compiler_, name_;
  bool bytes_;
};

}  // namespace

std::optional<std::string> c_compiler() {
  const char* chosen = std::getenv("CC");
  if (chosen != nullptr && *chosen != '\0') return chosen;
  const char* path = std::getenv("PATH");
  std::stringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/cc").c_str(), X_OK) == 0) return "cc";
  }
  return std::nullopt;
}

CompiledOutputs run_compiled(const std::string& compiler, const C99Export& exported, bool bytes,
                             const Sample& sample) {
  const Compiled compiled(compiler, exported, bytes);
  compiled.self_test();
  CompiledOutputs outputs;
  std::vector<std::uint8_t> codes;
  for (const std::int8_t code : sample.codes) {
    codes.push_back(static_cast<std::uint8_t>(bytes ? code + 128 : code));
  }
  outputs.from_codes =
      compiled.outputs({"run", bytes ? "uint8_t" : "int8_t"}, std::as_bytes(std::span(codes)));
  if (!sample.pixels.empty()) {
    outputs.from_pixels =
        compiled.outputs({"run_pixels", "uint8_t"}, std::as_bytes(std::span(sample.pixels)));
  }
  return outputs;
}

}  // namespace pare
