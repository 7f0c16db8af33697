#include "framework/config/parse_json.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "framework/base/error.h"

namespace pare::config {
namespace {

std::string fault(const std::string& text) {
  try {
    parse_json(text, "x.json");
  } catch (const DataError& error) {
    return error.what();
  }
  return "(accepted)";
}

std::string nested(int levels) {
  return std::string(static_cast<std::size_t>(levels), '[') +
         std::string(static_cast<std::size_t>(levels), ']');
}

std::string object(int keys) {
  std::string text = "{";
  for (int i = 0; i < keys; ++i) text += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":1";
  return text + "}";
}

TEST_CASE("what was written is read back, in its order") {
  const std::string text = R"({"b":[1,{"c":null}],"a":{"x":0.5,"y":"z"}})";
  CHECK(parse_json(text, "x").dump() == text);
  CHECK(parse_json("[]", "x") == Json::array());
}

TEST_CASE("what is no JSON is damaged") {
  for (const char* text : {"", "{", "[1,]", "nothing", "{\"a\":1} 2", "\"\xFF\""})
    CHECK(fault(text) == "x.json: is no JSON: it is damaged");
}

TEST_CASE("levels that would exhaust the stack are refused") {
  CHECK(fault(nested(136)) == "(accepted)");
  CHECK(fault(nested(137)) == "x.json: its JSON has more than 136 levels");
  CHECK(fault(nested(1000000)) == "x.json: its JSON has more than 136 levels");
  std::string objects;
  for (int i = 0; i < 1000; ++i) objects += "{\"a\":";
  CHECK(fault(objects) == "x.json: its JSON has more than 136 levels");
}

TEST_CASE("keys that would take hours to look up are refused, in one object or in many") {
  CHECK(fault(object(10000)) == "(accepted)");
  CHECK(fault(object(100000)) == "x.json: an object of its JSON has too many keys");
  std::string many = "[" + object(8000);
  for (int i = 0; i < 9; ++i) many += "," + object(8000);
  CHECK(fault(many + "]") == "x.json: an object of its JSON has too many keys");
}

TEST_CASE("lists are read in the time of their length") {
  std::string text = "[{}";
  for (int i = 1; i < 400000; ++i) text += ",{}";
  CHECK(parse_json(text + "]", "x").size() == 400000);
}

}  // namespace
}  // namespace pare::config
