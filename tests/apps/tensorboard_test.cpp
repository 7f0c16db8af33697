// TensorBoard's files: checksums, framing and messages against published and hand-made bytes, and a
// run's events read back by a reader of this file.
#include <doctest/doctest.h>

#include <bit>
#include <cstring>
#include <filesystem>
#include <map>

#include "apps/lib/run_events.h"
#include "apps/lib/tensorboard/crc32c.h"
#include "apps/lib/tensorboard/event_file.h"
#include "apps/lib/tensorboard/record.h"
#include "framework/base/file.h"
#include "tests/apps/tiny_run.h"

using namespace pare;
using namespace pare::tensorboard;

namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto span = std::as_bytes(std::span(text));
  return {span.begin(), span.end()};
}

std::string text_of(std::span<const std::byte> value) {
  return {reinterpret_cast<const char*>(value.data()), value.size()};
}

// A message of protocol buffers as its fields; the last value of a field that comes once.
struct Fields {
  std::multimap<int, std::vector<std::byte>> all;  // numbers as their little-endian bytes

  explicit Fields(std::span<const std::byte> message) {
    ByteReader reader(message, "message");
    while (reader.remaining() > 0) {
      const std::uint64_t tag = varint(reader);
      ByteWriter value;
      switch (tag & 7) {
        case 0:
          value.u64(varint(reader));
          break;
        case 1:
          value.bytes(reader.bytes(8));
          break;
        case 2:
          value.bytes(reader.bytes(varint(reader)));
          break;
        default:
          REQUIRE((tag & 7) == 5);
          value.bytes(reader.bytes(4));
      }
      all.emplace(static_cast<int>(tag >> 3), value.result());
    }
  }
  static std::uint64_t varint(ByteReader& reader) {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const std::uint8_t byte = reader.u8();
      value |= std::uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
  }
  const std::vector<std::byte>& operator[](int field) const { return all.find(field)->second; }
  double real(int field) const { return number<double>(field); }
  template <class T>
  T number(int field) const {
    T value;
    REQUIRE((*this)[field].size() >= sizeof value);
    std::memcpy(&value, (*this)[field].data(), sizeof value);
    return value;
  }
};

// What an event says, without its time: "step tag=value tag=histogram".
std::string said(std::span<const std::byte> payload) {
  const Fields event(payload);
  if (event.all.contains(3)) return text_of(event[3]);
  std::string text = std::to_string(event.number<std::int64_t>(2));
  const Fields summary(event[5]);
  for (const auto& [field, content] : summary.all) {
    const Fields value(content);
    text += " " + text_of(value[1]) + "=";
    if (value.all.contains(2)) text += std::to_string(value.number<float>(2));
    if (value.all.contains(5)) text += "histogram";
    if (value.all.contains(8)) text += "text";
  }
  return text;
}

std::vector<std::string> events_in(const std::string& path) {
  const std::vector<std::byte> file = read_file(path, 1 << 20);
  std::vector<std::string> events;
  std::size_t begin = 0;
  for (const std::size_t end : record_ends(file)) {
    events.push_back(said(std::span(file).subspan(begin + 12, end - begin - 16)));
    begin = end;
  }
  CHECK(begin == file.size());
  return events;
}

EpochRow row_at(std::int64_t step) {
  return {.epoch = step, .phase = "p", .step = step, .loss = 0.5, .learning_rate = 0.25};
}

struct Network1 {
  RunConfig run = tiny_config({});
  Network network = build_network(run.model, tiny_digits().train.shape, 10);
  Network1() { network.initialize(1); }
};

}  // namespace

TEST_CASE("CRC-32C gives the values of RFC 3720, appendix B.4") {
  CHECK(crc32c(std::vector<std::byte>(32, std::byte{0})) == 0x8A9136AA);
  CHECK(crc32c(std::vector<std::byte>(32, std::byte{0xFF})) == 0x62A8AB43);
  std::vector<std::byte> rising, falling;
  for (int i = 0; i < 32; ++i) {
    rising.push_back(static_cast<std::byte>(i));
    falling.push_back(static_cast<std::byte>(31 - i));
  }
  CHECK(crc32c(rising) == 0x46DD794E);
  CHECK(crc32c(falling) == 0x113FDB5C);
  CHECK(crc32c(bytes_of("123456789")) == 0xE3069283);
}

TEST_CASE("a scalar event has the bytes of its protocol buffer") {
  const Event event{.wall_time = 1, .step = 300, .scalars = {{"a", 0.5f}}};
  CHECK(encode(event) == bytes({0x09, 0,    0,    0,    0, 0, 0, 0xF0, 0x3F,  // wall_time
                                0x10, 0xAC, 0x02,                             // step
                                0x2A, 0x0A, 0x0A, 0x08,                       // summary, value
                                0x0A, 0x01, 'a',  0x15, 0, 0, 0, 0x3F}));
  CHECK(encode_version(0) ==
        bytes({0x09, 0,   0,   0,   0,   0,   0,   0,   0,   0x1A, 0x0D, 'b',
               'r',  'a', 'i', 'n', '.', 'E', 'v', 'e', 'n', 't',  ':',  '2'}));
}

TEST_CASE("histograms and texts nest as their messages do") {
  const Event event{.distributions = {{"h", -1, 2, 3, 0.5, 5.25, {0, 2}, {1, 2}}},
                    .texts = {{"t", "# title"}}};
  const Fields outer(encode(event));
  const Fields summary(outer[5]);
  REQUIRE(summary.all.count(1) == 2);
  const Fields histogram(Fields(summary.all.begin()->second)[5]);
  CHECK(histogram.real(1) == -1);
  CHECK(histogram.real(2) == 2);
  CHECK(histogram.real(3) == 3);
  CHECK(histogram.real(4) == 0.5);
  CHECK(histogram.real(5) == 5.25);
  CHECK(histogram[6].size() == 16);
  CHECK(histogram[7].size() == 16);
  const Fields text(std::next(summary.all.begin())->second);
  CHECK(text_of(Fields(text[8])[8]) == "# title");
  CHECK(text_of(Fields(Fields(text[9])[1])[1]) == "text");  // the plug-in that shows it
}

TEST_CASE("a record is found again, and no damage is taken for one") {
  std::vector<std::byte> file = framed(bytes_of("first"));
  const std::vector<std::byte> second = framed(bytes_of("the second"));
  const std::size_t border = file.size();
  file.insert(file.end(), second.begin(), second.end());
  CHECK(record_ends(file) == std::vector<std::size_t>{border, file.size()});
  for (std::size_t size = 0; size < file.size(); ++size)
    CHECK(record_ends(std::span(file).first(size)).size() == (size >= border ? 1 : 0));
  for (std::size_t i = 0; i < file.size(); ++i) {
    std::vector<std::byte> damaged = file;
    damaged[i] ^= std::byte{0x10};
    CHECK(record_ends(damaged).size() == (i < border ? 0 : 1));
  }
}

TEST_CASE("an event file goes on behind the records that are to be kept") {
  const TemporaryFolder folder;
  const std::string path = folder.file("e");
  const auto event = [](std::int64_t step) { return Event{.step = step, .scalars = {{"x", 1}}}; };
  {
    EventFile file(path, 0);
    CHECK(file.records() == 1);  // its version
    for (const std::int64_t step : {1, 2, 3}) file.append(event(step));
  }
  {
    EventFile file(path, 3);
    CHECK(file.records() == 3);
    file.append(event(7));
  }
  CHECK(events_in(path) ==
        std::vector<std::string>{"brain.Event:2", "1 x=1.000000", "2 x=1.000000", "7 x=1.000000"});
  std::vector<std::byte> torn = read_file(path, 1 << 20);
  torn.resize(torn.size() - 5);
  write_file_atomically(path, torn);
  CHECK(EventFile(path, 10).records() == 3);
  write_file_atomically(path, std::string_view("something else"));
  CHECK(EventFile(path, 10).records() == 1);
}

TEST_CASE("a resumed run's events are those of the run that was not stopped") {
  const TemporaryFolder folder;
  Network1 n;
  std::vector<EpochRow> rows = {row_at(8), row_at(16), row_at(16), row_at(24)};
  const auto file_of = [&](const std::string& name) {
    return folder.file(name) + "/events.out.tfevents.pare";
  };
  {
    RunEvents events(folder.file("whole"), n.run, {});
    for (const EpochRow& row : rows) events.row(row, n.network);
  }
  {
    RunEvents events(folder.file("stopped"), n.run, {});
    for (std::size_t i = 0; i < 3; ++i) events.row(rows[i], n.network);
  }
  {  // the checkpoint knows two rows
    RunEvents events(folder.file("stopped"), n.run, {rows[0], rows[1]});
    events.row(rows[2], n.network);
    events.row(rows[3], n.network);
  }
  const std::vector<std::string> whole = events_in(file_of("whole"));
  REQUIRE(whole.size() == 6);
  CHECK(whole[1] == "0 config=text");
  CHECK(contains(whole[2], "8 train/loss=0.500000 schedule/learning_rate=0.250000"));
  CHECK(contains(whole[2], "weights/conv.weight=histogram"));
  CHECK(events_in(file_of("stopped")) == whole);

  std::filesystem::remove(file_of("stopped"));  // lost: written again, as far as rows know
  RunEvents(folder.file("stopped"), n.run, rows);
  const std::vector<std::string> again = events_in(file_of("stopped"));
  REQUIRE(again.size() == 6);
  CHECK(contains(again[5], "24 train/loss=0.500000"));
  CHECK_FALSE(contains(again[5], "histogram"));
}

TEST_CASE("without report.histograms there are none") {
  const TemporaryFolder folder;
  Network1 n;
  n.run.report.histograms = false;
  RunEvents(folder.file("e"), n.run, {}).row(row_at(1), n.network);
  const auto events = events_in(folder.file("e") + "/events.out.tfevents.pare");
  CHECK_FALSE(contains(events.back(), "histogram"));
}
