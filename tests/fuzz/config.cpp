// Configs: text to values to a struct of every kind of field, with --set assignments behind zero
// bytes. What was read is written, and read again the same. A text with _base_ becomes a file, and
// the first part behind it its base.
#include "framework/config/config.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "framework/base/error.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/limit.h"

namespace pare::fuzz {
namespace {

enum class Colour { red, green };

struct Inner {
  double factor = 1;
  std::string word = "a";
  void describe(config::Object& o) {
    o.real("factor", factor, {.min = 0, .below = 100}, "a number");
    o.text("word", word, "a word");
  }
};

struct Dense {
  int units = 1;
  void describe(config::Object& o) { o.integer("units", units, {.min = 1, .max = 99}, "units"); }
};

struct Layer {
  std::string kind = "dense";
  std::variant<Dense, Inner> data;
  void describe(config::Object& o) {
    o.alternatives("kind", kind,
                   {{"dense", [this](config::Object& a) { config::hold<Dense>(data).describe(a); }},
                    {"inner", [this](config::Object& a) { config::hold<Inner>(data).describe(a); }}},
                   "which");
  }
};

struct Everything {
  int count = 3;
  std::optional<double> rate;
  bool fast = false;
  Colour colour = Colour::red;
  std::string name = "x";
  std::vector<int> numbers;
  std::vector<Layer> layers;
  Inner inner;
  std::optional<Inner> maybe;
  std::vector<std::pair<std::string, Inner>> named;

  void describe(config::Object& o) {
    o.integer("count", count, {.min = 0, .max = 1000}, "how many");
    o.real("rate", rate, {.above = 0}, "a rate");
    o.boolean("fast", fast, "whether");
    o.choice("colour", colour, {{"red", Colour::red}, {"green", Colour::green}}, "which");
    o.text("name", name, "a name");
    o.list("numbers", numbers, "numbers");
    o.list("layers", layers, "layers");
    o.object("inner", inner, "an object");
    o.object("maybe", maybe, "an object or null");
    o.map("named", named, "objects by name");
    if (o.given("rate") && o.missing("count")) o.fail("rate", "a rate needs a count");
  }
};

// Assignments behind the text, each after a zero byte.
std::pair<std::string_view, std::vector<std::string>> cut(std::string_view text) {
  std::vector<std::string> parts;
  std::size_t end = text.find('\0');
  const std::string_view first = text.substr(0, end);
  while (end != std::string_view::npos && parts.size() < 8) {
    const std::size_t next = text.find('\0', end + 1);
    parts.emplace_back(text.substr(end + 1, next == std::string_view::npos ? next : next - end - 1));
    end = next;
  }
  return {first, parts};
}

// A folder for two files, "input" and "base"; gone at the end of the program.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "pare_fuzz_XXXXXX") {
    require(::mkdtemp(path_.data()) != nullptr);
  }
  Folder(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string put(const char* name, std::string_view text) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

 private:
  std::string path_;
};

using Assignments = std::span<const std::string>;

config::Value from_files(std::string_view text, Assignments parts) {
  static const Folder folder;
  folder.put("base", parts.empty() ? "{}" : parts[0]);
  return config::load_file(folder.put("input", text), parts.subspan(parts.empty() ? 0 : 1));
}

// The assignments once more, as values that a file holds.
config::Value from_values(std::string_view text, Assignments assignments) {
  config::Value value = config::load_text(text, "input");
  for (const std::string& assignment : assignments) {
    const std::size_t sign = assignment.find('=');
    if (sign == std::string::npos) continue;
    const std::string_view path = std::string_view(assignment).substr(0, sign);
    config::assign(value, path, config::parse_text(assignment.substr(sign + 1), "value"), 1);
  }
  return value;
}

void check(const config::Value& value) {
  const config::Json json = config::to_json(value);
  require(config::to_json(config::parse_text(config::pretty(json), "pretty")) == json);
  const auto read = config::read<Everything>(value);
  const config::Json written = config::write(read);
  const auto again = config::read<Everything>(config::parse_text(written.dump(), "written"));
  require(config::write(again) == written);
}

template <class Load>
void try_to_read(std::size_t size, const Load& load) {
  const MemoryLimit limit("reading a config", kTexts + 64 * size);
  try {
    check(load());
  } catch (const ConfigError&) {
  }
}

}  // namespace

void config(Bytes bytes) {
  const auto input = cut(text_of(bytes));
  const std::string_view text = input.first;
  const Assignments parts = input.second;
  if (text_of(bytes).find("_base") != std::string_view::npos) {
    // Nothing but the two files: no path that leads out of their folder.
    if (text_of(bytes).find_first_of("/\\") != std::string_view::npos) return;
    return try_to_read(bytes.size(), [&] { return from_files(text, parts); });
  }
  bool loaded = false;
  try_to_read(bytes.size(), [&] {
    config::Value value = config::load_text(text, "input", parts);
    loaded = true;
    return value;
  });
  if (loaded && !parts.empty()) try_to_read(bytes.size(), [&] { return from_values(text, parts); });
}

}  // namespace pare::fuzz
