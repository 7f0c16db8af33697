#include "framework/base/names.h"

#include <doctest/doctest.h>

namespace pare {
namespace {

TEST_CASE("a plain name is what every file system, script and language takes as one word") {
  for (const char* name : {"a", "Z", "0", "_", "-", "a.b", "Conv-1_x.2"})
    CHECK(is_plain_name(name, 255));
  for (const char* name : {"", ".", "..", ".a", "a b", "a/b", "a\n", "*/", "$(x)", "caf\xC3\xA9"})
    CHECK_FALSE(is_plain_name(name, 255));
  CHECK(is_plain_name("abc", 3));
  CHECK_FALSE(is_plain_name("abcd", 3));
  CHECK_FALSE(is_plain_name(std::string_view("a\0b", 3), 255));
}

TEST_CASE("what is printed moves no cursor") {
  CHECK(printable("a ~\x1B[2J\n\xFF\x7F") == "a ~?[2J???");
}

}  // namespace
}  // namespace pare
