// The parts of report.html: harmless text, axes, charts, histograms, pictures, tables.
#include <doctest/doctest.h>
#include <zlib.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "apps/lib/report/axis.h"
#include "apps/lib/report/confusion.h"
#include "apps/lib/report/gallery.h"
#include "apps/lib/report/heat_map.h"
#include "apps/lib/report/histogram.h"
#include "apps/lib/report/html.h"
#include "apps/lib/report/layer_table.h"
#include "apps/lib/report/line_chart.h"
#include "apps/lib/report/png.h"
#include "framework/base/crc32.h"
#include "framework/base/file.h"
#include "tests/apps/tiny_run.h"

using namespace pare;
using namespace pare::report;

namespace {

std::uint32_t big_endian(const std::vector<std::byte>& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | std::to_integer<std::uint32_t>(bytes.at(at + i));
  return value;
}

struct Chunk {
  std::string type;
  std::vector<std::byte> content;
};

// What a PNG file consists of; every checksum is checked with zlib's CRC-32.
std::vector<Chunk> chunks_of(const std::vector<std::byte>& png) {
  const std::string signature(reinterpret_cast<const char*>(png.data()), 8);
  CHECK(signature == "\x89PNG\r\n\x1A\n");
  std::vector<Chunk> chunks;
  for (std::size_t at = 8; at < png.size();) {
    const std::uint32_t length = big_endian(png, at);
    const auto* type = reinterpret_cast<const char*>(png.data() + at + 4);
    CHECK(big_endian(png, at + 8 + length) ==
          ::crc32(0, reinterpret_cast<const Bytef*>(type), length + 4));
    const auto begin = png.begin() + static_cast<std::ptrdiff_t>(at + 8);
    chunks.push_back({std::string(type, 4), {begin, begin + length}});
    at += 12 + length;
  }
  return chunks;
}

std::vector<std::uint8_t> inflated(const std::vector<std::byte>& bytes, std::size_t size) {
  std::vector<std::uint8_t> result(size + 1);
  uLongf length = result.size();
  REQUIRE(uncompress(result.data(), &length, reinterpret_cast<const Bytef*>(bytes.data()),
                     bytes.size()) == Z_OK);
  result.resize(length);
  return result;
}

std::string base64_of(std::string_view text) { return base64(std::as_bytes(std::span(text))); }

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

LineChart two_points(double y0, double y1) {
  LineChart chart;
  chart.title = "loss";
  chart.x_label = "epoch";
  chart.series = {{"training", {{0, y0}, {4, y1}}}};
  chart.bands = {{"dense", 0, 4}};
  return chart;
}

std::vector<std::string> labels_of(const Axis& axis) {
  std::vector<std::string> labels;
  for (const Tick& tick : axis.ticks) labels.push_back(tick.label);
  return labels;
}

using Labels = std::vector<std::string>;

}  // namespace

TEST_CASE("no text from outside becomes markup") {
  CHECK(escape("<a href=\"x\" id='y'>&amp;") ==
        "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;");
  CHECK(escape("Größe 漢字 🙂\n\tend") == "Größe 漢字 🙂\n\tend");
  CHECK(escape(std::string("a\0b\x1b", 4)) == "a\uFFFDb\uFFFD");
  CHECK(escape("\xff|\xc3|\xe2\x82|\xed\xa0\x80|\xc0\xaf") ==
        "\uFFFD|\uFFFD|\uFFFD\uFFFD|\uFFFD\uFFFD\uFFFD|\uFFFD\uFFFD");  // as RFC 3629 has it
}

TEST_CASE("numbers are written for people") {
  CHECK(percent(0.9946) == "99.46 %");
  CHECK(byte_count(36512) == "36,512 B");
  CHECK(byte_count(1726376) == "1,726 KB");
  CHECK(number(0.031234) == "0.03123");
  CHECK(time_dependent("<3 s>") == "<span class=\"time\">&lt;3 s&gt;</span>");
}

TEST_CASE("axes have round ticks and put values where they belong") {
  const Axis round = round_axis(0.13, 2.1, 5);
  CHECK(labels_of(round) == Labels{"0", "0.5", "1.0", "1.5", "2.0", "2.5"});
  CHECK(round.position(1.25) == doctest::Approx(0.5));
  const Axis exact = exact_axis(0, 12, 8);
  CHECK(exact.high == 12);
  CHECK(labels_of(exact) == Labels{"0", "2", "4", "6", "8", "10", "12"});
  const Axis powers = logarithmic_axis(0.00002, 0.004);
  CHECK(labels_of(powers) == Labels{"1e-05", "0.0001", "0.001", "0.01"});
  CHECK(powers.position(0.0001) == doctest::Approx(1.0 / 3));
  for (const double value : {0.0, 1.0, -7.5, 1e-30, 1e30}) {  // an empty span is widened
    CAPTURE(value);
    const Axis axis = round_axis(value, value, 5);
    CHECK(axis.low < axis.high);
    CHECK(axis.ticks.size() >= 2);
    CHECK(axis.ticks.size() <= 8);
  }
}

TEST_CASE("a chart draws its points inside its frame, with phases, names and units escaped") {
  LineChart chart = two_points(1, 3);
  chart.title = "loss <b>";
  chart.bands = {{"a&b", 0, 2}, {"calibrate", 2, 2}, {"quantize", 2, 4}};
  chart.mark = 4;
  chart.mark_label = "shipped";
  const std::string html = to_html(chart);
  CHECK(contains(html, "loss &lt;b&gt;"));
  CHECK(contains(html, "a&amp;b"));
  CHECK(contains(html, "class=\"instant\""));       // the phase of no epochs
  CHECK(contains(html, "M54.0 196.0L448.0 22.0"));  // from corner to corner
  CHECK(count_of(html, "<circle") == 2);
  CHECK(contains(html, "training, epoch 4: 3"));
  CHECK(contains(html, "shipped"));
}

TEST_CASE("a chart leaves out what cannot be drawn, and says where nothing can") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const std::string html = to_html(two_points(nan, 3));
  CHECK(count_of(html, "<circle") == 1);
  CHECK_FALSE(contains(html, "nan"));
  CHECK(contains(to_html(two_points(nan, infinite)), "no values"));
  LineChart logarithmic = two_points(0, 3);
  logarithmic.scale = Scale::logarithmic;
  CHECK(count_of(to_html(logarithmic), "<circle") == 1);
}

TEST_CASE("accuracy never leaves the axis from 0 to 100") {
  LineChart chart = two_points(99.1, 99.97);
  chart.at_most = 100;
  CHECK_FALSE(contains(to_html(chart), ">100.2<"));
  CHECK(contains(to_html(chart), ">100.0<"));
}

TEST_CASE("a histogram counts every value once and zeros apart") {
  const std::vector<float> values = {0, -1, -0.5f, 0, 0.25f, 1, 1, 0};
  const Histogram h = histogram(values, 4);  // [-1, -0.5), [-0.5, 0), [0, 0.5), [0.5, 1]
  CHECK(h.zeros == 3);
  CHECK(h.counts == std::vector<std::int64_t>{1, 1, 1, 2});
  CHECK(h.low == -1);
  CHECK(h.high == 1);
  CHECK(h.sum == doctest::Approx(0.75));
  CHECK(h.sum_squares == doctest::Approx(3.3125));
  CHECK(histogram(std::vector<float>{0, 0}, 4).counts.empty());
  CHECK(histogram(std::vector<float>{2, 2}, 4).others() == 2);
  CHECK(contains(to_html(histogram(std::vector<float>{0}, 4), {}), "all zero"));
  CHECK(count_of(to_html(h, Limits{-2, 0.5}), "class=\"limit\"") == 1);  // the one inside
}

TEST_CASE("base64 is that of RFC 4648, section 10") {
  CHECK(base64_of("") == "");
  CHECK(base64_of("f") == "Zg==");
  CHECK(base64_of("fo") == "Zm8=");
  CHECK(base64_of("foo") == "Zm9v");
  CHECK(base64_of("foobar") == "Zm9vYmFy");
}

TEST_CASE("a PNG holds its samples, its palette and right checksums") {
  const Raster gray{Raster::Kind::gray, 3, 2, {0, 50, 100, 150, 200, 250}, {}};
  const auto chunks = chunks_of(encode_png(gray));
  REQUIRE(chunks.size() == 3);
  CHECK(chunks[0].type == "IHDR");
  CHECK(big_endian(chunks[0].content, 0) == 3);
  CHECK(big_endian(chunks[0].content, 4) == 2);
  CHECK(chunks[2].type == "IEND");
  CHECK(inflated(chunks[1].content, 8) ==
        std::vector<std::uint8_t>{0, 0, 50, 100, 0, 150, 200, 250});  // a filter byte per row

  const Raster rgb{Raster::Kind::rgb, 1, 1, {1, 2, 3}, {}};
  CHECK(inflated(chunks_of(encode_png(rgb))[1].content, 4) ==
        std::vector<std::uint8_t>{0, 1, 2, 3});
  const Raster coloured{Raster::Kind::palette, 1, 1, {1}, {{9, 8, 7, 6}, {5, 4, 3, 2}}};
  const auto with_palette = chunks_of(encode_png(coloured));
  CHECK(with_palette[1].type == "PLTE");
  CHECK(with_palette[1].content.size() == 6);
  CHECK(with_palette[2].type == "tRNS");
  CHECK(with_palette[2].content[1] == std::byte{2});
}

TEST_CASE("a small matrix shows every weight, a large one says what a dot stands for") {
  WeightMatrix small{"fc<1>", "2 x 3", 2, 3, {1, 0, -2, 0, 0.5f, 0}, {1, 0, 1, 1, 1, 0}};
  const std::string html = to_html(small);
  CHECK(contains(html, "fc&lt;1&gt;"));
  CHECK(contains(html, "rounded to zero"));
  CHECK(contains(html, "width=\"24\" height=\"16\""));  // eight pixels a weight

  WeightMatrix large{"big", "700 x 3000", 700, 3000, {}, {}};
  large.values.assign(700 * 3000, 0.0f);
  large.keep.assign(700 * 3000, 0);
  const std::string dense = to_html(large);
  CHECK(contains(dense, "one dot = 9 weights (3 x 3)"));
  CHECK(contains(dense, "width=\"1000\" height=\"234\""));
}

TEST_CASE("a confusion matrix counts pairs, and many classes become a picture") {
  const std::vector<std::int32_t> truth = {0, 0, 1, 2, 2, 2}, predicted = {0, 1, 1, 2, 0, 0};
  const Confusion c = confusion(truth, predicted, 3);
  CHECK(c.at(2, 0) == 2);
  CHECK(c.at(0, 1) == 1);
  CHECK(c.at(1, 0) == 0);
  const std::string html = to_html(c);
  CHECK(contains(html, "<b>2</b> taken for <b>0</b> (2), <b>0</b> taken for <b>1</b> (1)."));
  CHECK(contains(html, "33.3 %"));  // recall of class 2
  CHECK(contains(html, "50.0 %"));
  CHECK(contains(to_html(confusion(truth, truth, 3)), "Not one image"));
  CHECK(contains(to_html(confusion(truth, predicted, 100)), "<img"));
  CHECK(contains(to_html(confusion(truth, predicted, 4)), "–"));  // a class without images
}

TEST_CASE("the layer table shows what an integer form lacks as a dash") {
  const config::Json layer = {{"name", "a<b"},
                              {"kind", "dense"},
                              {"shape", {10, 20}},
                              {"weights", 200},
                              {"zeros", 60},
                              {"zeros_by_mask", 50},
                              {"sqnr", nullptr},
                              {"activation_sqnr", 42.25},
                              {"bytes", nullptr},
                              {"macs", 200},
                              {"effective_macs", nullptr}};
  const std::string html = layer_table(config::Json::array({layer}), {});
  CHECK(contains(html, "a&lt;b"));
  CHECK(contains(html, "10×20"));
  CHECK(contains(html, "25.0 mask + 5.0 rounded"));
  CHECK(contains(html, "42.2"));
  CHECK(contains(html, "–"));
  CHECK_FALSE(contains(html, "null"));
}
