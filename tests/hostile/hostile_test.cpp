// What every reader promises about every file: no crash, no hang, no other exception than the
// project's own, no allocation beyond 64 kB and four times the file (model.pare, which is
// entropy-coded: 1 MB and a thousand times), and an error wherever the format can know.
#include <doctest/doctest.h>

#include <algorithm>

#include "compression/integer/coding.h"
#include "framework/base/crc32.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "tests/datasets/files.h"
#include "tests/hostile/meter.h"
#include "tests/hostile/readers.h"
#include "tests/integer/random_program.h"

namespace pare::test {
namespace {

using File = std::vector<std::byte>;

// Whether the file was accepted; holds the reader to its memory.
bool accepts(const Reader& reader, std::span<const std::byte> file) {
  bool accepted = true;
  start_meter();
  try {
    reader.read(file);
  } catch (const DataError&) {
    accepted = false;
  } catch (const ConfigError&) {
    accepted = false;
  }
  REQUIRE(read_meter().largest <= reader.base + reader.factor * file.size());
  return accepted;
}

File plain(const Bytes& bytes) {
  const auto view = std::as_bytes(std::span(bytes));
  return {view.begin(), view.end()};
}

File sealed(const File& body) {
  ByteWriter writer;
  writer.bytes(body);
  writer.u32(crc32(body));
  return writer.result();
}

TEST_CASE("every sample is read, so that the refusals below mean something") {
  for (const Reader& row : readers()) {
    CAPTURE(row.name);
    CHECK(accepts(row, row.sample));
  }
}

TEST_CASE("every shorter file is an error") {
  for (const Reader& row : readers()) {
    CAPTURE(row.name);
    for (std::size_t size = 0; size < row.sample.size();
         size += static_cast<std::size_t>(row.stride)) {
      CAPTURE(size);
      const bool accepted = accepts(row, std::span(row.sample).first(size));
      REQUIRE((!accepted || !row.truncates));
    }
  }
}

TEST_CASE("every changed byte is an error, or a file that the format cannot tell from a good one") {
  for (const Reader& row : readers()) {
    CAPTURE(row.name);
    int refused = 0;
    for (std::size_t at = 0; at < row.sample.size(); at += static_cast<std::size_t>(row.stride)) {
      const auto old = static_cast<int>(row.sample[at]);
      for (const int value : {old ^ 0x01, old ^ 0x80, old ^ 0xff, 0x00, 0xff, old + 1, 0x39}) {
        File changed = row.sample;
        changed[at] = static_cast<std::byte>(value);
        if (changed[at] == row.sample[at]) continue;
        CAPTURE(at);
        CAPTURE(value);
        const bool accepted = accepts(row, changed);
        REQUIRE((!accepted || !row.sealed));
        refused += accepted ? 0 : 1;
      }
    }
    CHECK((refused > 0) == !row.any_value);
  }
}

TEST_CASE("bytes behind the end are an error in every binary format") {
  for (const Reader& row : readers()) {
    if (row.name == "config" || row.name == "keras") continue;  // blanks; HDF5 allows a tail
    CAPTURE(row.name);
    File longer = row.sample;
    longer.resize(longer.size() + 2);  // one byte more makes a record of CIFAR-10 one of CIFAR-100
    CHECK_FALSE(accepts(row, longer));
  }
}

TEST_CASE("a bomb of gzip is stopped at the size that its header implies") {
  Bytes content = idx_file({3, 4, 5}, counting(60));
  content.resize(std::size_t{64} << 20);
  const File bomb = plain(gzip(content));
  REQUIRE(bomb.size() < 70'000);
  const std::vector<Reader> rows = readers();
  for (const char* name : {"idx.gz images", "infer idx.gz"}) {
    CAPTURE(name);
    CHECK_FALSE(accepts(reader(rows, name), bomb));
  }
}

TEST_CASE("headers that promise more than the file holds take no memory") {
  const std::vector<Reader> rows = readers();
  constexpr std::uint32_t kMany = 0x7fffffff, kAll = 0xffffffff;
  for (const auto& extents : {std::vector<std::uint32_t>{kMany, 1, 1}, {kAll, kAll, kAll},
                              {1 << 16, 1 << 15, 1}, {0, kAll, kAll}, {1, 0, 0}}) {
    const File file = plain(idx_file({extents[0], extents[1], extents[2]}, counting(60)));
    for (const char* name : {"idx images", "infer idx"}) CHECK_FALSE(accepts(reader(rows, name), file));
  }
  for (const char* shape : {"(4294967296, 4294967296, 1)", "(1000000, 1000, 1)", "(0, 5, 5)",
                            "(-1, 5, 5)", "(99999999999999999999, 1, 1)"}) {
    CHECK_FALSE(accepts(reader(rows, "npy images"), plain(npy_file("|u1", shape, counting(60)))));
  }
  const std::string header =
      R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})";
  ByteWriter tensors;
  tensors.u64(header.size());
  tensors.text(header);
  CHECK_FALSE(accepts(reader(rows, "safetensors"), tensors.result()));
}

TEST_CASE("long lists and deep nesting in a config take little memory and no stack") {
  const Reader config = reader(readers(), "config");
  std::string flat = "{\"a\": [0", deep(200'000, '['), names = "{\"a\":0";
  for (int i = 0; i < 200'000; ++i) flat += ",0";
  for (int i = 0; i < 100'000; ++i) names += ",\"" + std::to_string(i) + "\":0";
  for (const std::string& text : {flat + "]}", deep, names + "}"}) {
    const auto bytes = std::as_bytes(std::span(text));
    CHECK_FALSE(accepts(config, bytes));
  }
}

TEST_CASE("a model with changed bytes and a right checksum keeps its bound") {
  const Reader model = reader(readers(), "model.pare");
  const File body(model.sample.begin(), model.sample.end() - 4);
  int accepted = 0;
  for (std::size_t at = 0; at < body.size(); ++at) {
    for (int value = 0; value < 256; value += 5) {
      File changed = body;
      changed[at] = static_cast<std::byte>(value);
      accepted += accepts(model, sealed(changed)) ? 1 : 0;
    }
  }
  CHECK(accepted > 50);
}

TEST_CASE("a layer that promises more codes than its bytes can hold takes no memory") {
  const integer::Program program = integer::zero_weights(512, 4);
  const auto& dense = std::get<integer::Dense>(program.operations[0]);
  const auto layout = [](std::int64_t taps) { return integer::WeightLayout{4, taps, false}; };
  for (const integer::Coding coding : integer::kCodings) {
    CAPTURE(std::string(integer::name_of(coding)));
    const File bytes = integer::encode_codes(coding, dense.weights, layout(512));
    integer::Weights weights = dense.weights;
    CHECK_NOTHROW(integer::decode_codes(coding, bytes, layout(512), "file", weights));
    start_meter();
    CHECK_THROWS_AS(integer::decode_codes(coding, bytes, layout(1 << 24), "file", weights),
                    DataError);
    CHECK(read_meter().peak < 100'000);
  }
}

TEST_CASE(
    "what is there at once while a model is read keeps its bound, also where it has to be most") {
  const File file = integer::encode_model(integer::zero_weights(1 << 16, 64));
  constexpr std::uint64_t kCodes = 64 << 16;
  REQUIRE(file.size() < kCodes / 400);
  start_meter();
  const integer::Program program = integer::decode_model(file, "file");
  const std::uint64_t peak = read_meter().peak;
  CHECK(peak > kCodes);
  CHECK(peak <= (1 << 20) + 1000 * file.size());
}

}  // namespace
}  // namespace pare::test
