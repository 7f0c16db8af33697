#include "apps/lib/target.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "compression/integer/engine.h"
#include "compression/integer/plan.h"
#include "tests/apps/tiny_run.h"

using namespace pare;

namespace {

Estimate estimate_of(const RunConfig& run) { return estimate(run, rehearse(run, tiny_digits())); }

}  // namespace

TEST_CASE("a target is flash, ram or both, with units") {
  CHECK(parse_target("flash=64k,ram=8k").flash == 65536);
  CHECK(parse_target("flash=64k,ram=8k").ram == 8192);
  CHECK(parse_target("ram=1000").ram == 1000);
  CHECK_FALSE(parse_target("ram=1M").flash.has_value());
  for (const char* bad :
       {"", "flash", "flash=", "flash=0", "flash=-1", "flash=1x", "rom=1", "flash=1,flash=2",
        "flash=1,", "ram=99999999999999999999", "ram=9999999M"}) {
    CAPTURE(bad);
    CHECK(contains(error_of([&] { parse_target(bad); }), "expected flash=N, ram=N or both"));
  }
}

TEST_CASE("what a device needs follows from shapes, bits and the sparsity that is asked for") {
  const Estimate e = estimate_of(tiny_config({}));
  // conv: 8 filters of 5 x 5 on one channel, 12 x 12 outputs; last: 288 inputs, 10 outputs.
  REQUIRE(e.layers.size() == 2);
  CHECK(e.layers[0].name == "conv");
  CHECK(e.layers[0].weights == 200);
  CHECK(e.layers[0].macs == 200 * 144);
  CHECK(e.layers[0].sparsity == 0.75);
  CHECK(e.layers[1].weights == 2880);
  CHECK(e.layers[0].bytes(8, 0) == 200);         // packed
  CHECK(e.layers[0].bytes(8, 0.75) == 25 + 50);  // a bit for each, a byte for every fourth
  CHECK(e.layers[0].bytes(4, 0) == 100);
  CHECK(e.tables == 256 + 9 * (8 + 10));
  CHECK(e.flash() ==
        e.layers[0].bytes(8, 0.75) + e.layers[1].bytes(8, 0.75) + e.tables + kCodeBytes);
  CHECK(e.macs() == 200 * 144 + 2880);
  CHECK(e.peak_bytes == 12 * 12 * 8 + 28 * 28);  // the convolution's output beside the image
  CHECK(e.ram >= e.peak_bytes);

  const Estimate four = estimate_of(tiny_config({"compression.int8.weights={\"bits\": 4}"}));
  CHECK(four.layers[0].bits == 4);
  CHECK(four.ram == e.ram);
}

// The engine fuses a pool into the convolution before it; the estimate gives each tensor its place.
TEST_CASE("the RAM is enough for the engine") {
  const RunConfig run = tiny_config({});
  const Rehearsal rehearsal = rehearse(run, tiny_digits());
  const std::int64_t ram = estimate(run, rehearsal).ram;
  CHECK(ram >= integer::Engine(*rehearsal.program).arena_bytes());
  CHECK(ram == integer::plan_arena(*rehearsal.program).bytes);
}

TEST_CASE("what does not fit is said with what would") {
  const Estimate e = estimate_of(tiny_config({"phases[1].apply=[]"}));  // not pruned
  const Target roomy{.flash = 1 << 20, .ram = 1 << 20};
  CHECK(fits(e, roomy));
  CHECK(to_json(e, roomy)["fits"] == true);
  CHECK_FALSE(contains(to_text(e, roomy), "TOO MUCH"));
  const Target tight{.flash = kCodeBytes + 2200, .ram = 1000};
  CHECK_FALSE(fits(e, tight));
  const std::string text = to_text(e, tight);
  CAPTURE(text);
  CHECK(contains(text, "It would fit with 4-bit weights"));
  CHECK(contains(text, "or a sparsity of"));
  CHECK(contains(text, "the largest layer is 'last'"));
  CHECK(contains(text, "a larger stride, an earlier pool or fewer filters there"));
  CHECK(contains(to_text(e, {.flash = 100, .ram = {}}), "Neither fewer bits nor zeros alone"));
}
