#include "compression/integer/model_file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <span>
#include <string>

#include "compression/integer/compact.h"
#include "framework/base/crc32.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "tests/integer/random_program.h"

namespace pare::integer {
namespace {

using Bytes = std::vector<std::byte>;

// A program whose bytes are few: all single-byte changes can be tried.
Program tiny_program() {
  for (std::uint64_t seed = 1;; ++seed) {
    Program program = random_program(seed);
    if (!program.pixel_codes.empty() || program.operations.size() < 3) continue;
    if (encode_model(program).size() < 600) return program;
  }
}

// The bytes of `body` with a checksum that fits: what a hostile writer would send.
Bytes sealed(Bytes body) {
  ByteWriter writer;
  writer.bytes(body);
  writer.u32(crc32(body));
  return writer.result();
}

TEST_CASE("random programs come back equal, and equal programs give equal bytes") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Program program = random_program(seed);
    const Bytes bytes = encode_model(program);
    INFO("seed ", seed);
    REQUIRE(decode_model(bytes, "test") == program);
    REQUIRE(encode_model(decode_model(bytes, "test")) == bytes);
  }
}

TEST_CASE("every truncation and every changed byte is a DataError that names the file") {
  const Bytes bytes = encode_model(tiny_program());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    REQUIRE_THROWS_WITH_AS(decode_model(std::span(bytes).first(size), "some/model.pare"),
                           doctest::Contains("some/model.pare: "), DataError);
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int flip = 1; flip < 256; ++flip) {
      Bytes changed = bytes;
      changed[i] ^= static_cast<std::byte>(flip);
      REQUIRE_THROWS_AS(decode_model(changed, "test"), DataError);
    }
  }
  Bytes longer = bytes;
  longer.push_back(std::byte{0});
  CHECK_THROWS_AS(decode_model(longer, "test"), DataError);
}

TEST_CASE("changed bytes under a valid checksum are refused or give a valid program") {
  int accepted = 0, refused = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Draw draw(seed);
    const Bytes bytes = encode_model(random_program(seed));
    for (int trial = 0; trial < 400; ++trial) {
      Bytes body(bytes.begin(), bytes.end() - 4);
      for (int k = draw.between(1, 3); k > 0; --k) {
        body[draw.between(0, static_cast<int>(body.size()) - 1)] =
            static_cast<std::byte>(draw.between(0, 255));
      }
      if (draw.chance(20)) body.resize(draw.between(0, static_cast<int>(body.size())));
      try {
        decode_model(sealed(body), "test");
        ++accepted;
      } catch (const DataError& error) {
        REQUIRE(std::string(error.what()).starts_with("test: "));
        ++refused;
      }
    }
  }
  CHECK(accepted > 100);
  CHECK(refused > 1000);
}

// A model of one dense layer whose sizes promise 2^26 weights, in a hundred bytes.
TEST_CASE("hostile sizes are refused before memory is taken") {
  const auto model = [](std::uint32_t side, std::uint32_t outputs, std::uint32_t code_bytes) {
    ByteWriter w;
    w.text(kModelMagic);
    w.u32(kModelVersion);
    w.u8(0);
    write_text(w, "hostile");
    for (const std::uint32_t n : {2u, 0u, 1u}) write_unsigned(w, n);
    for (const std::uint32_t n : {side, outputs}) {
      write_text(w, n == side ? "input" : "output");
      write_unsigned(w, 1);
      write_unsigned(w, n == side ? side : 1);
      write_unsigned(w, n);
      for (const std::int32_t v : {0, -128, 127}) write_signed(w, v);
      w.u32(0x3F800000);
    }
    write_unsigned(w, 0);  // pixel tables
    write_unsigned(w, 1);  // operations
    w.u8(2);               // dense
    write_unsigned(w, 0);
    write_unsigned(w, 1);
    w.u8(8);
    w.u8(0);
    write_unsigned(w, 1);
    w.u32(0x3F800000);
    w.u8(2);  // arithmetic
    write_unsigned(w, code_bytes);
    for (int i = 0; i < 40; ++i) w.u8(0);
    return sealed(w.result());
  };
  CHECK_THROWS_WITH_AS(decode_model(model(8192, 1, 40), "m"), doctest::Contains("cannot hold"),
                       DataError);
  CHECK_THROWS_WITH_AS(decode_model(model(8192, 65536, 40), "m"),
                       doctest::Contains("number of weights"), DataError);
  CHECK_THROWS_WITH_AS(decode_model(model(65536, 1, 40), "m"), doctest::Contains("number of codes"),
                       DataError);
  CHECK_THROWS_WITH_AS(decode_model(model(65537, 1, 40), "m"), doctest::Contains("at most 65536"),
                       DataError);
  CHECK_THROWS_AS(decode_model(model(16, 1, 1 << 27), "m"), DataError);
}

TEST_CASE("names in a file are held to the rule of names") {
  const Bytes bytes = encode_model(random_program(1));
  const auto with = [&](const std::string& from, const std::string& to) {
    Bytes body(bytes.begin(), bytes.end() - 4);
    const auto text = std::as_bytes(std::span(from));
    const auto at = std::search(body.begin(), body.end(), text.begin(), text.end());
    REQUIRE(at != body.end());
    std::copy_n(std::as_bytes(std::span(to)).begin(), from.size(), at);
    return sealed(body);
  };
  CHECK(decode_model(with("node1", "other"), "m").tensors[1].name == "other");
  for (const char* name : {"no*/1", "../..",
                           "no\xff"
                           "e1",
                           "no\x1b"
                           "e1",
                           "no\ne1"}) {
    INFO(name);
    CHECK_THROWS_WITH_AS(decode_model(with("node1", name), "m"),
                         doctest::Contains("m: model 'random_1': tensor 1: the name has"),
                         DataError);
  }
  CHECK_THROWS_WITH_AS(decode_model(with("node1", "node0"), "m"),
                       doctest::Contains("tensor 1 ('node0'): has the name"), DataError);
  CHECK_THROWS_WITH_AS(decode_model(with("random_1", "../ndom1"), "m"),
                       doctest::Contains("program: the name has"), DataError);
}

TEST_CASE("another version and another kind of file are refused by name") {
  Bytes bytes = encode_model(tiny_program());
  Bytes body(bytes.begin(), bytes.end() - 4);
  body[4] = std::byte{4};
  CHECK_THROWS_WITH_AS(decode_model(sealed(body), "m"), doctest::Contains("format version 4"),
                       DataError);
  body[0] = std::byte{'X'};
  CHECK_THROWS_WITH_AS(decode_model(sealed(body), "m"), doctest::Contains("not a model.pare"),
                       DataError);
}

TEST_CASE("files have the version of fraction bits where there are some, and no more than fit") {
  Program program = tiny_program();
  program.operations.resize(1);
  constexpr std::uint32_t kOne = 0x3F800000;
  program.tensors = {{"in", 1, 1, 3, 0, -128, 127, kOne}, {"out", 1, 1, 2, 0, -128, 127, kOne}};
  program.input = 0;
  program.output = 1;
  Dense dense{0, 1, {4, false, {1, -8, 7, 0, 2, 3}, {}, {0x3F800000}}, {}};
  dense.channels.bias = {100, -77};
  dense.channels.multipliers.assign(2, {1 << 30, -4});
  program.operations[0] = dense;
  CHECK(encode_model(program)[4] < std::byte{3});
  auto& fractions = std::get<Dense>(program.operations[0]).channels.fraction_bits;
  for (fractions = 1; fractions <= 3; ++fractions) {
    const Bytes bytes = encode_model(program);
    CHECK(bytes[4] == std::byte{3});
    CHECK(decode_model(bytes, "m") == program);
  }
  fractions = 3;
  const Bytes bytes = encode_model(program);
  Bytes body(bytes.begin(), bytes.end() - 4);
  // Behind it: two biases of two bytes, two multipliers of five, no signs.
  std::byte& stored = body[body.size() - 4 - 10 - 1 - 1];
  REQUIRE(stored == std::byte{3});
  stored = std::byte{4};
  CHECK_THROWS_WITH_AS(decode_model(sealed(body), "m"),
                       doctest::Contains("fraction bits are 4, expected at most 3"), DataError);
}

TEST_CASE("a file of the first version has none of the later codings") {
  int newer = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const Bytes bytes = encode_model(random_program(seed));
    if (bytes[4] != std::byte{2}) continue;
    Bytes body(bytes.begin(), bytes.end() - 4);
    body[4] = std::byte{1};
    CHECK_THROWS_WITH_AS(decode_model(sealed(body), "m"),
                         doctest::Contains("does not occur in version 1"), DataError);
    ++newer;
  }
  CHECK(newer > 5);
}

TEST_CASE("the writer takes the smallest coding of each layer, and each one occurs") {
  std::map<Coding, int> used;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    for (const LayerBytes& layer : coding_sizes(random_program(seed))) {
      REQUIRE(layer.used() == *std::min_element(layer.bytes.begin(), layer.bytes.end()));
      ++used[layer.coding];
    }
  }
  for (const Coding coding : kCodings) {
    INFO(name_of(coding));
    CHECK(used[coding] > 5);
  }
}

TEST_CASE("a model is saved and loaded, and a missing file is a DataError") {
  const std::string path =
      std::string(PARE_BINARY_DIR) + "/model_file_test." + std::to_string(::getpid()) + ".pare";
  const Program program = small_cnn(1);
  save_model(program, path);
  CHECK(load_model(path) == program);
  std::remove(path.c_str());
  CHECK_THROWS_AS(load_model(path), DataError);
}

TEST_CASE("an invalid program is not written") {
  Program program = small_cnn(1);
  program.tensors[1].height = 0;
  CHECK_THROWS_AS(encode_model(program), DataError);
}

TEST_CASE("numbers are stored in their shortest form and read back") {
  ByteWriter writer;
  const std::int32_t values[] = {0,   -1,      1,          63,         64,
                                 -65, 1 << 30, -(1 << 30), 2147483647, -2147483647 - 1};
  for (const std::int32_t value : values) write_signed(writer, value);
  ByteReader reader(writer.result(), "test");
  for (const std::int32_t value : values) CHECK(read_signed(reader) == value);
  reader.expect_end();
  const std::byte longer[] = {std::byte{0x80}, std::byte{0}};
  ByteReader padded(longer, "test");
  CHECK_THROWS_AS(read_unsigned(padded), DataError);
  const std::byte large[] = {std::byte{255}, std::byte{255}, std::byte{255}, std::byte{255},
                             std::byte{31}};
  ByteReader overflow(large, "test");
  CHECK_THROWS_AS(read_unsigned(overflow), DataError);
}

}  // namespace
}  // namespace pare::integer
