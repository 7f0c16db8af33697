// .npy files, good and bad. What NumPy itself writes is covered by golden bytes, so that nothing
// here needs Python.
#include "datasets/npy.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/datasets/files.h"

namespace pare {
namespace {

using test::Bytes;
using test::bytes_of;
using test::contains;
using test::npy_file;

const Bytes kLabels = npy_file("|u1", "(2,)", {1, 0});

struct Files {
  test::TemporaryFolder folder;

  Images read(const Bytes& images, const Bytes& labels = kLabels) const {
    const std::string a = folder.put("x.npy", images), b = folder.put("y.npy", labels);
    return read_npy_images(a, b);
  }
  std::string error_of(const Bytes& images, const Bytes& labels = kLabels) const {
    return test::message_of([&] { read(images, labels); });
  }
  // A file with this header's text in front of two bytes.
  std::string header_error(std::string header) const {
    Bytes file = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, static_cast<std::uint8_t>(header.size()), 0};
    file.insert(file.end(), header.begin(), header.end());
    file.insert(file.end(), {7, 8});
    return error_of(file);
  }
};

TEST_CASE("bytes are read as they lie, grey and in colour, plain and compressed") {
  const Files files;
  const Bytes grey = npy_file("|u1", "(2, 1, 3)", {1, 2, 3, 4, 5, 6});
  for (const Bytes& file : {grey, test::gzip(grey)}) {
    const Images images = files.read(file);
    CHECK(images.shape == Shape{1, 3, 1});
    CHECK(images.pixels == Bytes{1, 2, 3, 4, 5, 6});
    CHECK(images.labels == std::vector<std::int32_t>{1, 0});
    CHECK_FALSE(images.are_floats());
  }
  const Images colour = files.read(npy_file("|u1", "(2, 1, 1, 3)", {1, 2, 3, 4, 5, 6}));
  CHECK(colour.shape == Shape{1, 1, 3});
}

TEST_CASE("floats stay floats") {
  const Files files;
  const std::vector<float> values = {-1.5f, 0.25f, 3e30f, 0.0f};
  const Images images = files.read(npy_file("<f4", "(2, 2, 1)", bytes_of(values)));
  CHECK(images.values == values);
  CHECK(images.pixels.empty());
  CHECK(images.are_floats());
  for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
    CHECK(contains(files.error_of(npy_file("<f4", "(2, 1, 1)", bytes_of<float>({1.0f, bad}))),
                   "value 1 is not finite"));
  }
}

TEST_CASE("labels may have three types, and gaps") {
  const Files files;
  const Bytes images = npy_file("|u1", "(2, 1, 1)", {1, 2});
  const std::vector<std::int32_t> expected = {65535, 3};
  CHECK(files.read(images, npy_file("<i4", "(2,)", bytes_of(expected))).labels == expected);
  CHECK(files.read(images, npy_file("<i8", "(2,)", bytes_of<std::int64_t>({65535, 3}))).labels ==
        expected);
  for (const std::int64_t bad :
       {std::int64_t{-1}, std::int64_t{65536}, std::int64_t{1} << 32, INT64_MIN, INT64_MAX}) {
    CHECK(
        contains(files.error_of(images, npy_file("<i8", "(2,)", bytes_of<std::int64_t>({0, bad}))),
                 "y.npy: label 1: expected 0 to 65535, got"));
  }
}

TEST_CASE("all three versions are read, with the keys in any order and either quote") {
  const Files files;
  const std::string header = R"({"shape":(2,1,1),'fortran_order':False , "descr":'|u1'})";
  for (const std::uint8_t version : {1, 2, 3}) {
    Bytes file = {
        0x93, 'N', 'U', 'M', 'P', 'Y', version, 0, static_cast<std::uint8_t>(header.size()), 0};
    if (version > 1) file.insert(file.end(), {0, 0});
    file.insert(file.end(), header.begin(), header.end());
    file.insert(file.end(), {7, 8});
    CHECK(files.read(file).pixels == Bytes{7, 8});
    file[6] = 4;
    CHECK(contains(files.error_of(file), "got 4.0"));
  }
}

TEST_CASE("what cannot be used is refused with what to do") {
  const Files files;
  const Bytes two(2, 0);
  const auto images = [&](const char* type, const char* shape) {
    return files.error_of(npy_file(type, shape, two));
  };
  CHECK(contains(images("<f8", "(2, 1, 1)"), "got '<f8'; save x.astype('float32')"));
  CHECK(contains(images(">f4", "(2, 1, 1)"), "got '>f4'"));
  CHECK(contains(images("|O", "(2, 1, 1)"), "got '|O'"));
  CHECK(contains(images("|u1", "(2,)"), "expected images [n, height, width]"));
  CHECK(contains(images("|u1", "()"), "got []"));
  CHECK(contains(images("|u1", "(0, 1, 1)"), "at least one pixel, got [0, 1, 1]"));
  CHECK(contains(images("|u1", "(3, 1, 1)"), "has 3 images"));
  CHECK(contains(images("|u1", "(2, 1, 2)"), "expected 132 bytes (by its header), got 130"));
  const Bytes good = npy_file("|u1", "(2, 1, 1)", two);
  CHECK(contains(files.error_of(good, npy_file("|u1", "(2, 1)", two)), "save y.reshape(-1)"));
  CHECK(contains(files.error_of(good, npy_file("<f4", "(2,)", two)), "save y.astype('int64')"));
  const std::string fortran = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 1, 1)}";
  CHECK(contains(files.header_error(fortran), "numpy.ascontiguousarray(x)"));
  CHECK(contains(files.error_of({'P', 'K', 3, 4, 0, 0, 0, 0}), ".npz holds several"));
}

TEST_CASE("a header is a dictionary of the three keys and nothing else") {
  const Files files;
  for (const char* header :
       {"", "{}", "{'descr': '|u1'}", "{'descr': '|u1', 'fortran_order': False}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 1)",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 1)} x",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 1), 'x': 1}",
        "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 1)}",
        "{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (2, 1, 1)}",
        "{'descr': '|u1', 'fortran_order': 0, 'shape': (2, 1, 1)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (-2, 1, 1)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1 + 1, 1, 1)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999, 1, 1)}",
        "__import__('os').getpid()"}) {
    CAPTURE(header);
    CHECK(contains(files.header_error(header), "expected a header as numpy.save writes it"));
  }
  CHECK(contains(files.header_error("{'descr': '|u1', 'fortran_order': False, 'shape': "
                                    "(2000000000, 2000000000, 2000000000, 9)}"),
                 "more than 2^31 values"));
}

TEST_CASE("a long header and a large promise allocate nothing") {
  const Files files;
  Bytes file = {0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, 0xff, 0xff, 0xff, 0xff};
  CHECK(contains(files.error_of(file), "at most 65536 bytes, got 4294967295"));
  const Bytes promise = npy_file("<f4", "(2, 1000000000, 1)", {1, 2, 3, 4});
  CHECK(contains(files.error_of(promise), "expected 8000000128 bytes (by its header), got 132"));
  CHECK(contains(files.error_of(test::gzip(promise)), "too short for that"));
  CHECK(contains(files.error_of(npy_file("|u1", "(2, 1, 1)", {1, 2}),
                                npy_file("<i8", "(2000000000,)", {1, 2})),
                 "expected 16000000128 bytes"));
}

}  // namespace
}  // namespace pare
