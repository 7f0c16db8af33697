// A recursive-descent parser for JSON with comments. The cursor counts lines and characters as it
// goes; the depth is bounded before every descent, so no input can exhaust the stack.
#include "framework/config/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/config/utf8.h"

namespace pare::config {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '+' || c == '-' || c == '.';
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// number = [ "-" ] ( "0" / digit1-9 *digit ) [ "." 1*digit ] [ ( "e" / "E" ) [ "+" / "-" ] 1*digit
// ] (RFC 8259, 6).
bool is_number(std::string_view word) {
  std::size_t i = 0;
  const auto at = [&] { return i < word.size() ? word[i] : '\0'; };
  const auto digits = [&] {
    const std::size_t first = i;
    while (is_digit(at())) ++i;
    return i - first;
  };
  if (at() == '-') ++i;
  const bool leading_zero = at() == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (leading_zero && whole > 1)) return false;
  if (at() == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (at() == 'e' || at() == 'E') {
    ++i;
    if (at() == '+' || at() == '-') ++i;
    if (digits() == 0) return false;
  }
  return i == word.size();
}

class Parser {
 public:
  Parser(std::string_view text, std::shared_ptr<const Source> source)
      : text_(text), source_(std::move(source)) {}

  Value document() {
    if (text_.starts_with("\xEF\xBB\xBF")) position_ = 3;  // a byte order mark takes no column
    skip_blanks();
    Value value = parse_value(0);
    skip_blanks();
    if (!at_end()) expected("the end", "");
    return value;
  }

 private:
  bool at_end() const { return position_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[position_]; }
  std::string_view rest() const { return text_.substr(position_); }
  Origin here() const { return {source_, line_, column_}; }

  [[noreturn]] void fail(const Origin& where, const std::string& message) const {
    throw ConfigError(where.text() + ": " + message);
  }
  [[noreturn]] void expected(std::string_view what, std::string_view hint) const {
    fail(here(), fmt::format("expected {}, got {}{}", what, found(), hint));
  }

  // What stands at the cursor, for messages.
  std::string found() const {
    if (at_end()) return "the end";
    const auto first = static_cast<unsigned char>(peek());
    if (peek() == '\n' || peek() == '\r') return "a line break";
    if (first < 0x20 || first == 0x7F) return fmt::format("the control character {:#04x}", first);
    if (const std::string_view w = word(); !w.empty()) return fmt::format("'{}'", w.substr(0, 40));
    return fmt::format("'{}'", rest().substr(0, std::max<std::size_t>(1, utf8_length(rest()))));
  }

  std::string_view word() const {
    std::size_t length = 0;
    while (length < rest().size() && is_word(rest()[length])) ++length;
    return rest().substr(0, length);
  }

  void advance(std::size_t bytes) {
    for (; bytes > 0; --bytes, ++position_) {
      const char c = text_[position_];
      if (c == '\n') {
        ++line_;
        column_ = 1;
      } else if ((c & 0xC0) != 0x80) {  // not inside a character
        ++column_;
      }
    }
  }

  void skip_blanks() {
    for (;;) {
      const Origin start = here();
      if (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') {
        advance(1);
      } else if (rest().starts_with("//")) {
        advance(std::min(rest().find('\n'), rest().size()));
      } else if (rest().starts_with("/*")) {
        const std::size_t end = rest().find("*/", 2);
        if (end == std::string_view::npos) fail(start, "the comment that begins here has no end");
        advance(end + 2);
      } else {
        return;
      }
    }
  }

  Value parse_value(int depth) {
    const Origin where = here();
    if (peek() == '{' || peek() == '[') {
      if (depth >= kDeepest) fail(where, fmt::format("more than {} levels of nesting", kDeepest));
      return peek() == '{' ? Value(parse_members(depth + 1), where)
                           : Value(parse_list(depth + 1), where);
    }
    if (peek() == '"') return Value(parse_string(), where);
    return parse_word(where);
  }

  Value parse_word(const Origin& where) {
    const std::string_view w = word();
    if (w == "true" || w == "false" || w == "null") {
      advance(w.size());
      return w == "null" ? Value(nullptr, where) : Value(w == "true", where);
    }
    if (!w.empty() && (is_digit(w.front()) || w.front() == '-') && is_number(w)) {
      return parse_number(w, where);
    }
    expected("a value", word_hint(w));
  }

  static std::string_view word_hint(std::string_view w) {
    if (w == "True" || w == "TRUE") return " (did you mean 'true'?)";
    if (w == "False" || w == "FALSE") return " (did you mean 'false'?)";
    if (w == "None" || w == "NULL" || w == "Null") return " (did you mean 'null'?)";
    const std::string_view unsigned_part = w.substr(std::min(w.find_first_not_of("+-"), w.size()));
    for (const std::string_view name :
         {"NaN", "nan", "NAN", "inf", "Inf", "Infinity", "infinity"}) {
      if (unsigned_part == name) return " (JSON has no NaN and no infinity)";
    }
    if (w.empty()) return "";
    if (is_digit(w.front()) || w.front() == '.' || w.front() == '+' || w.front() == '-') {
      return " (numbers look like 12, -0.5 or 1e-3)";
    }
    return " (strings take double quotes)";
  }

  Value parse_number(std::string_view w, const Origin& where) {
    const char* end = w.data() + w.size();
    std::int64_t integer = 0;
    if (w.find_first_of(".eE") == std::string_view::npos &&
        std::from_chars(w.data(), end, integer).ec == std::errc()) {
      advance(w.size());
      return Value(integer, where);
    }
    double real = 0;
    if (std::from_chars(w.data(), end, real).ec != std::errc()) {
      fail(where, fmt::format("the number '{}' does not fit into a double", w.substr(0, 40)));
    }
    advance(w.size());
    return Value(real, where);
  }

  std::string parse_string() {
    const Origin start = here();
    advance(1);
    std::string out;
    while (peek() != '"') {
      if (at_end() || peek() == '\n' || peek() == '\r') {
        fail(start, "the string that begins here has no closing '\"' on its line");
      }
      if (peek() == '\\') {
        parse_escape(out);
        continue;
      }
      if (static_cast<unsigned char>(peek()) < 0x20) expected("a character of a string", "");
      out += peek();
      advance(1);
    }
    advance(1);
    return out;
  }

  void parse_escape(std::string& out) {
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const Origin start = here();
    const char letter = rest().size() > 1 ? rest()[1] : '\0';
    if (letter == 'u') return parse_unicode(out, start);
    const std::size_t which = kLetters.find(letter);
    if (letter == '\0' || which == std::string_view::npos) {
      fail(start, "expected an escape (\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0041)");
    }
    out += kMeanings[which];
    advance(2);
  }

  // \uXXXX, or two of them for a character beyond U+FFFF.
  void parse_unicode(std::string& out, const Origin& start) {
    unsigned code = parse_hex(start);
    if (code >= 0xDC00 && code < 0xE000) fail(start, "a low surrogate without a high one");
    if (code >= 0xD800 && code < 0xDC00) {
      const unsigned low = rest().starts_with("\\u") ? parse_hex(start) : 0;
      if (low < 0xDC00 || low >= 0xE000) fail(start, "a high surrogate without a low one");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(out, code);
  }

  unsigned parse_hex(const Origin& start) {
    const std::string_view digits = rest().substr(2, 4);
    unsigned code = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, code, 16);
    if (digits.size() != 4 || error != std::errc() || stop != end) {
      fail(start, "expected four hexadecimal digits after \\u");
    }
    advance(6);
    return code;
  }

  // For one more element, twice as many as before, but never more memory at once than 64 kB and four
  // times the text: a value takes more than the two characters that it may be written with.
  template <class T>
  void make_room(std::vector<T>& elements) const {
    if (elements.size() < elements.capacity()) return;
    const std::size_t most = ((std::size_t{1} << 16) + 4 * text_.size()) / sizeof(T);
    if (elements.size() >= most)
      fail(here(), fmt::format("more than {} entries side by side in so short a text", most));
    elements.reserve(std::min(most, std::max<std::size_t>(4, 2 * elements.size())));
  }

  List parse_list(int depth) {
    List list;
    advance(1);
    skip_blanks();
    if (peek() == ']') return advance(1), list;
    for (;;) {
      make_room(list);
      list.push_back(parse_value(depth));
      skip_blanks();
      if (peek() == ']') return advance(1), list;
      if (peek() != ',') expected("',' or ']' after an entry of a list", "");
      advance(1);
      skip_blanks();
      if (peek() == ']') expected("an entry after ','", " (JSON has no trailing comma)");
    }
  }

  Members parse_members(int depth) {
    Members members;
    advance(1);
    skip_blanks();
    if (peek() != '}') {
      for (;;) {
        make_room(members);
        members.push_back(parse_member(depth));
        skip_blanks();
        if (peek() == '}') break;
        if (peek() != ',') {
          expected(fmt::format("',' or '}}' after the value of '{}'", members.back().key), "");
        }
        advance(1);
        skip_blanks();
        if (peek() == '}') expected("a key after ','", " (JSON has no trailing comma)");
      }
    }
    advance(1);
    refuse_duplicates(members);
    return members;
  }

  Member parse_member(int depth) {
    const Origin where = here();
    if (peek() != '"')
      expected("a key", word().empty() && peek() != '\'' ? "" : " (keys take double quotes)");
    std::string key = parse_string();
    skip_blanks();
    if (peek() != ':') expected(fmt::format("':' after the key '{}'", key), "");
    advance(1);
    skip_blanks();
    return {std::move(key), where, parse_value(depth)};
  }

  // Sorting finds them in O(n log n), whatever the file is made of.
  void refuse_duplicates(const Members& members) const {
    std::vector<const Member*> sorted;
    for (const Member& member : members) sorted.push_back(&member);
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Member* a, const Member* b) { return a->key < b->key; });
    const auto twin =
        std::adjacent_find(sorted.begin(), sorted.end(),
                           [](const Member* a, const Member* b) { return a->key == b->key; });
    if (twin == sorted.end()) return;
    const Member& first = **twin;
    fail((*(twin + 1))->origin,
         fmt::format("the key '{}' is here twice; first in line {}", first.key, first.origin.line));
  }

  std::string_view text_;
  std::shared_ptr<const Source> source_;
  std::size_t position_ = 0;
  int line_ = 1;
  int column_ = 1;
};

// Throws at the first byte that is no UTF-8, so that the parser needs not think about it.
void require_utf8(std::string_view text, const std::shared_ptr<const Source>& source) {
  Origin where{source, 1, 1};
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) throw ConfigError(where.text() + ": expected text in UTF-8, got other bytes");
    ++where.column;
    if (text[i] == '\n') {
      ++where.line;
      where.column = 1;
    }
    i += length;
  }
}

}  // namespace

Value parse_text(std::string_view text, Source source) {
  const auto shared = std::make_shared<const Source>(std::move(source));
  if (text.size() > kLargest) {
    throw ConfigError(
        fmt::format("{}: expected at most {} bytes, got {}", shared->name, kLargest, text.size()));
  }
  require_utf8(text, shared);
  return Parser(text, shared).document();
}

Value parse_text(std::string_view text, const std::string& name) {
  return parse_text(text, Source{.name = name});
}

Value parse_file(const std::string& path, int rank) {
  std::vector<std::byte> bytes;
  try {
    bytes = read_file(path, kLargest);
  } catch (const Error& error) {
    throw ConfigError(error.what());  // a config that is not there is a mistake of the command line
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return parse_text(text, Source{.name = path, .rank = rank});
}

}  // namespace pare::config
