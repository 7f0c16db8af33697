#include "apps/lib/config_reference.h"

#include <doctest/doctest.h>

#include "framework/base/file.h"
#include "framework/config/config.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

namespace {

std::string text_of(const std::string& path) {
  const auto bytes = read_file(path, 1 << 22);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("docs/config.md and docs/config.schema.json say what the structs say") {
  INFO("refresh them with: cmake --build ", PARE_BINARY_DIR, " --target config_reference");
  const bool current = text_of(PARE_SOURCE_DIR "/docs/config.md") == config_reference();
  const bool schema = text_of(PARE_SOURCE_DIR "/docs/config.schema.json") == config_schema();
  CHECK(current);
  CHECK(schema);
}

TEST_CASE("the schema knows the keys that files have beside a run's own") {
  const config::Json schema = config::Json::parse(config_schema());
  CHECK(schema["properties"].contains("$schema"));
  CHECK(schema["properties"].contains("_base_"));
  CHECK_FALSE(schema.contains("required"));  // a base may give any key
  CHECK(schema["properties"]["seed"]["default"] == 1);
}

TEST_CASE("$schema may stand at the top of a file and is no part of the run") {
  const auto text = R"({"$schema": "x.json", "model": [{"kind": "flatten"}]})";
  const auto run = config::read<RunConfig>(config::load_text(text, "x"));
  CHECK_FALSE(config::write(run).contains("$schema"));
  CHECK(contains(error_of([] { config::load_text(R"({"$schema": 3})", "x"); }),
                 "x:1:13: $schema: expected a string, got 3"));
}
