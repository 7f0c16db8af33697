// Telemetry of runs: when rows are written, that training does not feel them, that they survive a
// stop, and what becomes of a file with rows that a checkpoint does not know.
#include "apps/lib/telemetry.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "apps/lib/report/page.h"
#include "apps/lib/run_report.h"
#include "apps/lib/telemetry_charts.h"
#include "apps/lib/telemetry_file.h"
#include "compression/prune/mask.h"
#include "tests/apps/tiny_trainer.h"

using namespace pare;

namespace {

// 8 updates without compression, 16 of pruning, 16 of both; the masks change every second update.
RunConfig measured(std::int64_t every, const std::vector<std::string>& more = {}) {
  std::vector<std::string> sets = {"report.telemetry=" + std::to_string(every)};
  sets.insert(sets.end(), more.begin(), more.end());
  return tiny_config(sets);
}

const std::vector<std::string> kPhases = {"dense", "prune", "quantize"};

std::vector<TelemetryRow> rows_of(const RunConfig& run) {
  TinyRun tiny(run);
  tiny.train();
  return tiny.telemetry();
}

std::vector<std::string> texts(const std::vector<TelemetryRow>& rows) {
  std::vector<std::string> result;
  for (const TelemetryRow& row : rows) result.push_back(to_json(row).dump());
  return result;
}

std::string text_of(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path, 1 << 24);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("rows come every so many updates and at the end of each phase, for compressed layers") {
  std::vector<std::int64_t> steps;
  for (const TelemetryRow& row : rows_of(measured(7))) {
    if (row.layer == "conv") steps.push_back(row.step);
    CHECK((row.layer == "conv" || row.layer == "last"));
    CHECK(row.phase == (row.step <= 24 ? "prune" : "quantize"));
    CHECK(row.weight.masked.has_value());
    CHECK(row.weight.error_both.has_value() == (row.phase == "quantize"));
  }
  CHECK(steps == std::vector<std::int64_t>{14, 21, 24, 28, 35, 40});  // 24, 40: ends of phases
  CHECK(rows_of(measured(0)).empty());
}

TEST_CASE("a calibration has a row of its own") {
  const auto rows = rows_of(measured(
      1000, {R"(phases[2]={"_delete_": true, "name": "ptq", "epochs": 0, "apply": ["int8"]})"}));
  REQUIRE(rows.size() == 4);
  CHECK(rows[1].phase == "prune");
  CHECK(rows[2].phase == "ptq");
  CHECK(rows[2].step == rows[1].step);
  CHECK(rows[2].weight.error_both.has_value());
}

TEST_CASE("what is measured is the network's own state") {
  TinyRun tiny(measured(8));
  tiny.after_update(24, [&] {
    const TelemetryRow& row = tiny.telemetry().back();
    REQUIRE(row.step == 24);
    const Parameter& weight = parameter(tiny.trainer().network(), row.layer + ".weight");
    const auto* mask = dynamic_cast<const Mask*>(weight.find(kMask));
    CHECK(*row.weight.masked ==
          static_cast<double>(mask->pruned()) / static_cast<double>(weight.shape().size()));
    CHECK(*row.weight.masked > 0.2);
  });
  tiny.train();
}

TEST_CASE("training does not feel it") {
  TinyRun with(measured(1)), without(measured(0));
  const auto a = with.end(), b = without.end();
  CHECK(a.model == b.model);
  const auto arrays = [](const TinyRun& run) {
    Snapshot own;
    for (const NamedArray& array : load_checkpoint(run.last()).arrays) {
      if (!array.name.starts_with("telemetry/")) own.push_back(array);
    }
    return own;
  };
  CHECK(arrays(with) == arrays(without));
}

TEST_CASE("a run that was stopped anywhere has the rows of one that was not") {
  const RunConfig run = measured(3);
  const std::vector<std::string> whole = texts(rows_of(run));
  for (const std::int64_t stop : {5, 9, 10, 24, 25, 39}) {
    CAPTURE(stop);
    TinyRun first(run, stop);
    CHECK_THROWS_AS(first.train(), Stopped);
    TinyRun second(run);
    second.resume(first);
    second.train();
    std::vector<TelemetryRow> rows = first.telemetry();
    rows.insert(rows.end(), second.telemetry().begin(), second.telemetry().end());
    CHECK(texts(rows) == whole);
  }
}

TEST_CASE("a file is cut back to what the checkpoint knows, and goes on") {
  const TemporaryFolder folder;
  const std::string path = folder.file("telemetry.jsonl");
  const std::vector<TelemetryRow> rows = rows_of(measured(4));
  const auto write = [&](std::optional<TelemetryMark> last, std::span<const TelemetryRow> more) {
    TelemetryFile file(path, kPhases, last);
    file.add(more);
    file.flush();
  };
  write(std::nullopt, rows);
  const std::string whole = text_of(path);
  CHECK(texts(read_telemetry(path)) == texts(rows));

  const auto known = std::count_if(rows.begin(), rows.end(),
                                   [](const TelemetryRow& row) { return row.step <= 24; });
  write(TelemetryMark{1, 24}, std::span(rows).subspan(static_cast<std::size_t>(known)));
  CHECK(text_of(path) == whole);

  // Half a row at the end, as a kill may leave it.
  write_file_atomically(path, whole.substr(0, whole.size() - 30));
  write(TelemetryMark{1, 24}, std::span(rows).subspan(static_cast<std::size_t>(known)));
  CHECK(text_of(path) == whole);

  write(std::nullopt, {});
  CHECK(text_of(path).empty());
}

TEST_CASE("the report shows charts of every layer") {
  const RunConfig run = measured(2);
  TinyRun tiny(run);
  tiny.train();
  report::Page page = unfinished_page(run, tiny_digits(), tiny.trainer(), "./pare train", "");
  page.telemetry = telemetry_charts(tiny.telemetry(), run, tiny.trainer().spans());
  REQUIRE(page.telemetry.size() == 2);
  CHECK(page.telemetry[0].layer == "conv");
  CHECK(page.telemetry[0].charts.size() == 3);
  const std::string html = report::to_html(page);
  for (const char* part : {"id=\"telemetry\"", "<h3>conv</h3>", "code flips", "rounded to zero"}) {
    CAPTURE(part);
    CHECK(contains(html, part));
  }
  const std::vector<TelemetryRow> masks =
      rows_of(measured(2, {R"(phases[2]={"_delete_": true, "name": "rest", "epochs": 1})"}));
  CHECK(telemetry_charts(masks, run, tiny.trainer().spans())[0].charts.size() == 3);
}
