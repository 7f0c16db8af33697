#include "framework/base/text.h"

#include <doctest/doctest.h>

#include <vector>

#include "framework/base/error.h"

namespace pare {
namespace {

TEST_CASE("edit distance counts insertions, deletions, replacements and swaps of neighbours") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("quant", "qaunt") == 1);
  CHECK(edit_distance("sparsity", "sparcity") == 1);
  CHECK(edit_distance("epochs", "epoch") == 1);
}

TEST_CASE("the nearest name is suggested, and nothing where nothing is near") {
  const std::vector<std::string> names = {"epochs", "optimizer", "loss"};
  CHECK(suggestion("epohcs", names) == " (did you mean 'epochs'?)");
  CHECK(suggestion("optimiser", names) == " (did you mean 'optimizer'?)");
  CHECK(suggestion("zebra", names).empty());
  CHECK(nearest("x", std::vector<std::string>{"w"}).empty());
  CHECK(nearest("losss", {}).empty());
}

TEST_CASE("join puts the separator between items only") {
  CHECK(join({}, ", ").empty());
  CHECK(join(std::vector<std::string>{"a"}, ", ") == "a");
  CHECK(join(std::vector<std::string>{"a", "b", "c"}, ", ") == "a, b, c");
}

TEST_CASE("glob patterns match whole paths") {
  CHECK(matches("*.weight", "conv1.weight"));
  CHECK(matches("conv?.weight", "conv1.weight"));
  CHECK(matches("*", ""));
  CHECK(matches("a*b*c", "a-b-b-c"));
  CHECK(matches("**", "x"));
  CHECK_FALSE(matches("conv?.weight", "conv10.weight"));
  CHECK_FALSE(matches("weight", "conv1.weight"));
  CHECK_FALSE(matches("a*b*c", "a-b-b-"));
  CHECK_FALSE(matches("", "x"));
  CHECK_FALSE(matches("conv1.weight", "conv1xweight"));
}

TEST_CASE("patterns that start with re: are regular expressions over whole paths") {
  CHECK(matches("re:conv[12]\\.weight", "conv2.weight"));
  CHECK_FALSE(matches("re:conv[12]", "conv2.weight"));
  CHECK_THROWS_AS(matches("re:(", "x"), ConfigError);
  CHECK_THROWS_AS(matches("re:" + std::string(100'000, '('), "x"), ConfigError);
}

}  // namespace
}  // namespace pare
