// The parser: values and positions against what the text says, and messages for everything that is
// not JSON.
#include "framework/config/parse.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "framework/config/utf8.h"
#include "tests/config/message.h"

namespace pare::config {
namespace {

std::string fault(std::string_view text) {
  return message_of([&] { parse_text(text, "x.json"); });
}

std::string string_of(std::string_view text) { return parse_text(text, "x").as<std::string>(); }

TEST_CASE("every kind of value is parsed to its own type") {
  const Value root = parse_text(
      R"({"a": null, "b": true, "c": -12, "d": 0.5, "e": 1e3, "f": "x", "g": [1, []], "h": {}})",
      "x");
  CHECK(root.find("a")->is<std::nullptr_t>());
  CHECK(root.find("b")->as<bool>());
  CHECK(root.find("c")->as<std::int64_t>() == -12);
  CHECK(root.find("d")->as<double>() == 0.5);
  CHECK(root.find("e")->as<double>() == 1000.0);
  CHECK(root.find("f")->as<std::string>() == "x");
  CHECK(root.find("g")->as<List>().size() == 2);
  CHECK(root.find("h")->as<Members>().empty());
  CHECK(root.find("nothing") == nullptr);
  CHECK(to_json(root).dump() ==
        R"({"a":null,"b":true,"c":-12,"d":0.5,"e":1000.0,"f":"x","g":[1,[]],"h":{}})");
}

TEST_CASE("keys and values know line and column, counted in characters") {
  const Value root =
      parse_text("{\n  // \xC3\xA4\n  \"\xC3\xA4\": /* x\n*/ 1,\n  \"b\":\t[2,\n3]}", "x.json");
  const Member& first = root.as<Members>()[0];
  CHECK(first.key == "\xC3\xA4");
  CHECK(first.origin.text() == "x.json:3:3");
  CHECK(first.value.origin.text() == "x.json:4:4");
  CHECK(root.find("b")->as<List>()[0].origin.text() == "x.json:5:9");
  CHECK(root.find("b")->as<List>()[1].origin.text() == "x.json:6:1");
  CHECK(parse_text("\xEF\xBB\xBF 1", "bom").origin.text() == "bom:1:2");
}

TEST_CASE("escapes become the characters they stand for") {
  CHECK(string_of(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(string_of(R"("\u0041\u00e4\u20AC\uD83D\uDE00")") ==
        "A\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
}

TEST_CASE("integers at the edge of 64 bits stay integers, larger ones become doubles") {
  CHECK(parse_text("9223372036854775807", "x").as<std::int64_t>() == INT64_MAX);
  CHECK(parse_text("-9223372036854775808", "x").as<std::int64_t>() == INT64_MIN);
  CHECK(parse_text("9223372036854775808", "x").as<double>() == 9223372036854775808.0);
}

TEST_CASE("a list takes no more memory at once than 64 kB and four times its text") {
  const auto list_of = [](int count, const std::string& entry) {
    std::string text = "[" + entry;
    for (int i = 1; i < count; ++i) text += "," + entry;
    return text + "]";
  };
  CHECK(parse_text(list_of(900, "0"), "x").as<List>().size() == 900);
  CHECK(parse_text(list_of(5000, "0.123456789012345678"), "x").as<List>().size() == 5000);
  CHECK(fault(list_of(100'000, "0")) ==
        "x.json:1:27050: more than 13524 entries side by side in so short a text");
}

TEST_CASE("what is no JSON is refused with the place, what was expected, what came, and a hint") {
  CHECK(fault("") == "x.json:1:1: expected a value, got the end");
  CHECK(fault("{\"a\": 1") ==
        "x.json:1:8: expected ',' or '}' after the value of 'a', got the end");
  CHECK(fault("{\"a\" 1}") == "x.json:1:6: expected ':' after the key 'a', got '1'");
  CHECK(fault("{\"a\": }") == "x.json:1:7: expected a value, got '}'");
  CHECK(fault("{\n  \"a\": 1,\n}") ==
        "x.json:3:1: expected a key after ',', got '}' (JSON has no trailing comma)");
  CHECK(fault("[1, ]") ==
        "x.json:1:5: expected an entry after ',', got ']' (JSON has no trailing comma)");
  CHECK(fault("[1 2]") == "x.json:1:4: expected ',' or ']' after an entry of a list, got '2'");
  CHECK(fault("{a: 1}") == "x.json:1:2: expected a key, got 'a' (keys take double quotes)");
  CHECK(fault("{'a': 1}") == "x.json:1:2: expected a key, got ''' (keys take double quotes)");
  CHECK(fault("adam") == "x.json:1:1: expected a value, got 'adam' (strings take double quotes)");
  CHECK(fault("True") == "x.json:1:1: expected a value, got 'True' (did you mean 'true'?)");
  CHECK(fault("None") == "x.json:1:1: expected a value, got 'None' (did you mean 'null'?)");
  CHECK(fault("-Infinity") ==
        "x.json:1:1: expected a value, got '-Infinity' (JSON has no NaN and no infinity)");
  CHECK(fault("NaN") ==
        "x.json:1:1: expected a value, got 'NaN' (JSON has no NaN and no infinity)");
  CHECK(fault("1 x") == "x.json:1:3: expected the end, got 'x'");
  CHECK(fault("\x01") == "x.json:1:1: expected a value, got the control character 0x01");
  CHECK(fault("[1,\n  /* x") == "x.json:2:3: the comment that begins here has no end");
}

TEST_CASE("numbers follow the grammar of JSON") {
  for (const char* text :
       {"01", "+1", ".5", "1.", "1e", "0x10", "1_000", "-", "1e+", "--1", "1.2.3"}) {
    CAPTURE(text);
    CHECK(fault(text) == std::string("x.json:1:1: expected a value, got '") + text +
                             "' (numbers look like 12, -0.5 or 1e-3)");
  }
  CHECK(fault("1e400") == "x.json:1:1: the number '1e400' does not fit into a double");
  CHECK(fault(std::string(400, '9')).find("does not fit into a double") != std::string::npos);
}

TEST_CASE("broken strings are refused where they begin") {
  CHECK(fault("\"abc") ==
        "x.json:1:1: the string that begins here has no closing '\"' on its line");
  CHECK(fault("[\"a\nb\"]") ==
        "x.json:1:2: the string that begins here has no closing '\"' on its line");
  CHECK(fault("\"a\tb\"") ==
        "x.json:1:3: expected a character of a string, got the control character 0x09");
  CHECK(fault(R"("a\x")") ==
        "x.json:1:3: expected an escape (\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0041)");
  CHECK(fault(R"("\u12g4")") == "x.json:1:2: expected four hexadecimal digits after \\u");
  CHECK(fault(R"("\u12)") == "x.json:1:2: expected four hexadecimal digits after \\u");
  CHECK(fault(R"("\u-123")") == "x.json:1:2: expected four hexadecimal digits after \\u");
  CHECK(fault(R"("\uDE00")") == "x.json:1:2: a low surrogate without a high one");
  CHECK(fault(R"("\uD83Dx")") == "x.json:1:2: a high surrogate without a low one");
  CHECK(fault(R"("\uD83D\u0041")") == "x.json:1:2: a high surrogate without a low one");
}

TEST_CASE("bytes that are no UTF-8 are refused") {
  // A lone continuation, overlong forms, a surrogate, beyond U+10FFFF, a cut sequence.
  for (const char* bytes : {"\x80", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                            "\xF0\x80\x80\x80", "\xE2\x82", "\xFF"}) {
    CHECK(fault(std::string("{\n\"a\": \"") + bytes + "\"}") ==
          "x.json:2:7: expected text in UTF-8, got other bytes");
    CHECK_FALSE(is_utf8(bytes));
  }
  CHECK(is_utf8("\xF4\x8F\xBF\xBF\xED\x9F\xBF\xE2\x82\xAC"));
}

TEST_CASE("a key that is there twice is refused") {
  CHECK(fault("{\"b\": 1, \"a\": 1,\n \"b\": 2}") ==
        "x.json:2:2: the key 'b' is here twice; first in line 1");
  CHECK(fault(R"({"a": 1, "\u0061": 2})") ==
        "x.json:1:10: the key 'a' is here twice; first in line 1");
}

TEST_CASE("depth and size are bounded") {
  const auto nested = [](int levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  CHECK_NOTHROW(parse_text(nested(64), "x"));
  CHECK(fault(nested(65)) == "x.json:1:65: more than 64 levels of nesting");
  CHECK(fault(std::string(1'000'000, '[')) == "x.json:1:65: more than 64 levels of nesting");
  CHECK(fault(std::string(1'000'000, '{')).find("expected a key") != std::string::npos);
  CHECK(fault(std::string((1 << 20) + 1, ' ')) ==
        "x.json: expected at most 1048576 bytes, got 1048577");
}

TEST_CASE(
    "every truncation and every changed byte of a valid text gives a value or a ConfigError") {
  const std::string text =
      "// head\n{\"a\": [1, -2.5e3, \"x\\u00e4\\n\", null], \"\xC3\xA4\": {\"b\": true /* c */, "
      "\"c\": []}}";
  parse_text(text, "x");
  for (std::size_t length = 0; length < text.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(parse_text(std::string_view(text).substr(0, length), "x"), ConfigError);
  }
  int refused = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = text;
      changed[i] = static_cast<char>(byte);
      try {
        parse_text(changed, "x");
      } catch (const ConfigError&) {
        ++refused;
      }
    }
  }
  CHECK(refused > static_cast<int>(text.size()) * 128);
}

}  // namespace
}  // namespace pare::config
