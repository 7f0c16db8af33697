#include "apps/lib/train_options.h"

#include <doctest/doctest.h>

#include "tests/apps/tiny_run.h"

using namespace pare;

namespace {

TrainOptions parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "train");
  return *parse_train_options(static_cast<int>(words.size()), words.data());
}

}  // namespace

TEST_CASE("the options of train") {
  const TrainOptions o = parsed({"--set", "a=1", "--set", "b=[1, 2]", "--threads", "3",
                                 "--time-limit", "1.5", "-q", "--smoke"});
  CHECK(o.sets == std::vector<std::string>{"a=1", "b=[1, 2]"});
  CHECK(o.threads == 3);
  CHECK(o.time_limit == 1.5);
  CHECK(o.smoke);
  CHECK(o.level == Console::Level::quiet);
  CHECK(o.config.empty());
}

TEST_CASE("an option that does not exist is refused with the nearest one") {
  CHECK(contains(error_of([] { parsed({"--ovrwrite"}); }),
                 "unknown argument '--ovrwrite' (did you mean '--overwrite'?)"));
  CHECK(contains(error_of([] { parsed({"--conf=x.json"}); }), "unknown argument '--conf=x.json'"));
  CHECK_THROWS_AS(parsed({"--threads", "0"}), ConfigError);
  CHECK_THROWS_AS(parsed({"--threads", "two"}), ConfigError);
  CHECK_THROWS_AS(parsed({"--resume", "--overwrite"}), ConfigError);
  CHECK_THROWS_AS(parsed({"--set"}), ConfigError);
}
